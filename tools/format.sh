#!/bin/sh
# format.sh [--check]: brings all C files into the shape of .clang-format, or says which are not.
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" = --check ]; then
	set -- --dry-run -Werror
else
	set -- -i
fi
if [ "$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ]; then
	git ls-files -z '*.c' '*.h'
else
	find . -name 'build*' -prune -o -name '*.[ch]' -print0
fi | xargs -0 -r clang-format "$@"
