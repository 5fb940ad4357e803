#!/bin/sh
# run.sh PROGRAM [PYTEST-OPTION...]: the end-to-end tests with this program. Debian's own Python,
# for that is where the package python3-pytest is.
POSTERN=$1
export POSTERN
shift
here=$(cd "$(dirname "$0")" && pwd)
POSTERN_VECTORS=${POSTERN_VECTORS:-$here/../../../shared/vectors}
export POSTERN_VECTORS
exec /usr/bin/python3 -B -m pytest -p no:cacheprovider -q --rootdir="$here" "$@" "$here" </dev/null
