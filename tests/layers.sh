#!/bin/sh
# layers.sh: do the folders include only what lies below them?
#
#     lib <- filters <- rules <- proxy;  web-status uses lib and rules
#
# and does one filter know no other? A filter includes filter.h, mail.h, evidence.h and headers
# that begin with its own name. Includes are written from the root.
cd "$(dirname "$0")/.." || exit 2
names=$(sed -n 's/^FILTER(\(.*\))/\1/p' filters/list.h | tr '\n' ' ')

for folder in lib filters rules proxy web-status; do
	[ -d $folder ] && find $folder -name '*.[ch]' -exec grep -Hn '^[ 	]*#[ 	]*include[ 	]*"' {} +
done | awk -F: -v names="$names" '
BEGIN {
	count = split(names, filters, " ")
	below["lib"] = " lib "
	below["filters"] = " lib filters "
	below["rules"] = " lib filters rules "
	below["proxy"] = " lib filters rules web-status proxy "
	below["web-status"] = " lib rules web-status "
	common = " filter.h mail.h evidence.h "
	frame = " filter mail evidence registry list "
}
function complain(what) {
	print $1 ":" $2 ": " what " (" header ")"
	faults++
}
function stem(name) {
	sub(/\.[ch]$/, "", name)
	return name
}
# Whose file is it?
function owner(file,   i) {
	for (i = 1; i <= count; i++)
		if (file == filters[i] || index(file, filters[i] "_") == 1)
			return filters[i]
	return file
}
{
	header = $3
	sub(/^[^"]*"/, "", header)
	sub(/".*/, "", header)
	folder = $1
	sub(/\/.*/, "", folder)
	target = header
	if (!sub(/\/.*/, "", target))
		complain("includes are written from the root")
	else if (!index(below[folder], " " target " "))
		complain(folder " must not include " target)
	else if (folder == "filters" && target == "filters") {
		own = $1
		other = header
		sub(/^.*\//, "", own)
		sub(/^.*\//, "", other)
		if (!index(common, " " other " ") && !index(frame, " " stem(own) " ") &&
		    owner(stem(own)) != owner(stem(other)))
			complain("one filter must not know another")
	}
}
END {
	if (faults == 0)
		print "layers: ok, " NR " includes"
	exit faults > 0
}'
