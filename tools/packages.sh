# shellcheck shell=sh disable=SC2034
#
# The Debian packages that postern needs, and how they are installed. Sourced by quickstart and
# check; nothing happens until packages_install is called. What is there already is left alone,
# so on a prepared machine no network is needed.

packages_build='
autoconf
automake
ca-certificates
gcc
libc6-dev
libev-dev
libpcre2-dev
libssl-dev
libunbound-dev
libyaml-dev
make
pkg-config
'

packages_test='
clang
clang-format
libclang-rt-dev
libcmocka-dev
libnet-dns-perl
libnet-ssleay-perl
nsd
openssl
postfix
python3
python3-pytest
swaks
unbound
'

# What the tests unpack beside the system, because it cannot be installed next to Postfix.
packages_unpacked='
exim4-base
exim4-daemon-heavy
'

# Shared libraries of the unpacked programs.
packages_test="$packages_test
libgnutls-dane0
"

packages_as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Prints those of the named packages that are not installed.
packages_missing()
{
	for package in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) echo "$package" ;;
		esac
	done
}

# Installs what is missing of the named packages. Daemons that come along must not start on the
# real ports: that is what policy-rc.d is for, and it is taken away again.
packages_install()
{
	# shellcheck disable=SC2046 # one word per package is what is wanted
	set -- $(packages_missing "$@")
	[ $# -eq 0 ] && return 0
	command -v apt-get >/dev/null || {
		echo "missing: $*" >&2
		return 1
	}
	echo "installing: $*"
	(
		if [ ! -e /usr/sbin/policy-rc.d ]; then
			trap 'packages_as_root rm -f /usr/sbin/policy-rc.d' EXIT
			trap 'exit 1' HUP INT TERM
			printf '#!/bin/sh\nexit 101\n' | packages_as_root tee /usr/sbin/policy-rc.d >/dev/null
			packages_as_root chmod 755 /usr/sbin/policy-rc.d
		fi
		packages_as_root apt-get update -q &&
			packages_as_root env DEBIAN_FRONTEND=noninteractive \
				apt-get install -q -y --no-install-recommends "$@"
	) </dev/null
}
