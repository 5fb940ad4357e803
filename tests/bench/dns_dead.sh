#!/bin/sh
# dns_dead.sh PROGRAM: what happens when all name servers are dead (see dns_dead.py).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tools/packages.sh"
packages_install python3 || exit 1
exec /usr/bin/python3 -B "$here/dns_dead.py" "${@:-./postern}"
