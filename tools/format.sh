#!/bin/bash
# format.sh [--check]: brings all C files into the shape of .clang-format, or says which are not.
set -eu
cd "$(dirname "$0")/.."

format_files()
{
	if [ "$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ]; then
		git ls-files -z "*.c" "*.h" | while IFS= read -r -d "" file; do
			[ -f "$file" ] && printf "%s\0" "$file"
		done
	else
		find . -name 'build*' -prune -o -name '*.[ch]' -print0
	fi
}

if [ "${1:-}" != --check ]; then
	format_files | xargs -0 -r clang-format -i
	exit 0
fi
faults=$(format_files | xargs -0 -r clang-format --dry-run -Werror 2>&1 |
	sed -n 's/^\([^:]*:[0-9]*\):.*/\1/p' | sort -u -t: -k1,1)
[ -z "$faults" ] && exit 0
echo "not in shape (make format), with the first line:"
echo "$faults"
exit 1
