#!/bin/sh
# copy-source.sh DIR: brings DIR to the state of the source tree, uncommitted changes and new
# files included, and what was made from the sources left out. A build of the copy is neither
# disturbed by a build in the source tree itself nor by somebody who is writing there.
set -eu
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

if [ "$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ]; then
	git ls-files -co --exclude-standard
else
	find . \( -name 'build*' -o -name autom4te.cache -o -name .deps -o -name __pycache__ \) -prune -o \
		-type f ! -name '*.o' ! -name '*.a' ! -name '*.log' ! -name '*.trs' ! -name config.status \
		! -name Makefile ! -path './tests/unit/test_*[!ch]' ! -path ./postern \
		! -path ./docs/write-man ! -path ./docs/postern.yaml.5 -print | sed 's|^\./||'
fi | while read -r file; do
	[ -f "$file" ] && echo "$file"
done | LC_ALL=C sort -u >"$target/.files.new"

# The format keeps fractions of seconds, which make needs.
tar --format=posix -cf - -T "$target/.files.new" | tar -C "$target" -xf -
cd "$target"
if [ -f .files ]; then
	LC_ALL=C comm -23 .files .files.new | while read -r file; do rm -f "$file"; done
fi
mv .files.new .files
