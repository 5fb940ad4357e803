#!/bin/sh
# lists.sh PROGRAM: how long DNS lists hold a recipient up (see lists.py).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tools/packages.sh"
packages_install python3 || exit 1
exec /usr/bin/python3 -B "$here/lists.py" "${@:-./postern}"
