#!/bin/sh
# run.sh PROGRAM [PYTEST-OPTION...]: the end-to-end tests with this program. Debian's own Python,
# for that is where the package python3-pytest is.
POSTERN=$1
export POSTERN
shift
here=$(cd "$(dirname "$0")" && pwd)
POSTERN_VECTORS=${POSTERN_VECTORS:-$here/../../../shared/vectors}
export POSTERN_VECTORS
# Most tests wait for something: where python3-pytest-xdist is there, three files at a time.
several=
/usr/bin/python3 -c 'import xdist' 2>/dev/null && several='--numprocesses=3 --dist=loadfile'
# shellcheck disable=SC2086 # two words
exec /usr/bin/python3 -B -m pytest -p no:cacheprovider -q $several --rootdir="$here" "$@" "$here" \
	</dev/null
