#!/bin/sh
# lists.sh: is every source file in Makefile.am? Who is not is neither built nor distributed.
cd "$(dirname "$0")/.." || exit 2
faults=0
for file in $(find lib filters rules proxy web-status tests/unit -name '*.[ch]' 2>/dev/null | sort); do
	case $file in
	tests/unit/*.h) continue ;; # distributed by a wildcard
	tests/unit/*) entry=${file%.c} ;;
	*) entry=$file ;;
	esac
	if ! grep -Eq "(^|[[:space:]=])$entry([[:space:]]|\$)" Makefile.am; then
		echo "$file is not in Makefile.am"
		faults=1
	fi
done
exit $faults
