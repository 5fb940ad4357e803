#!/bin/sh
# reload.sh PROGRAM [--quick]: what a reload with a long list does to running sessions (see reload.py).
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/packages.sh
. "$here/../../tools/packages.sh"
packages_install python3 || exit 1
exec /usr/bin/python3 -B "$here/reload.py" "${@:-./postern}"
