#!/bin/sh
# memory.sh PROGRAM [--quick]: what an idle session costs in memory (see memory.py).
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/packages.sh
. "$here/../../tools/packages.sh"
packages_install nsd openssl postfix python3 || exit 1
exec /usr/bin/python3 -B "$here/memory.py" "${@:-./postern}"
