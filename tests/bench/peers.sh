#!/bin/sh
# peers.sh PROGRAM [--quick]: postern beside HAProxy, nginx and Postfix (see peers.py). What of
# these is missing is installed; nothing is started but for the benchmark.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/packages.sh
. "$here/../../tools/packages.sh"
packages_install haproxy libnginx-mod-mail nginx-light nsd openssl postfix python3 python3-pytest ||
	exit 1
exec /usr/bin/python3 -B "$here/peers.py" "${@:-./postern}"
