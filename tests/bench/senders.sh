#!/bin/sh
# senders.sh PROGRAM [--quick]: spf, dkim and dmarc in postern, beside Postfix with rspamd (see
# senders.py). What of these is missing is installed, or, rspamd, laid into a folder ($POSTERN_CACHE);
# nothing is started but for the benchmark.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/packages.sh
. "$here/../../tools/packages.sh"
POSTERN_CACHE=${POSTERN_CACHE:-$here/../../build-check/cache}
export POSTERN_CACHE
packages_install libglib2.0-0 libicu72 libluajit-5.1-2 libsodium23 libsqlite3-0 libunwind8 \
	nsd openssl postfix python3 python3-dkim python3-pytest || exit 1
# shellcheck disable=SC2086,SC2154 # a list of words, of tools/packages.sh
packages_unpack "$POSTERN_CACHE/rspamd" $packages_rspamd || exit 1
exec /usr/bin/python3 -B "$here/senders.py" "${@:-./postern}"
