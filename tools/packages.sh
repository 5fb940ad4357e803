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
libarchive-dev
libc6-dev
libev-dev
libidn2-dev
libjansson-dev
liblmdb-dev
libmagic-dev
libopendkim-dev
libopendmarc-dev
libpcre2-dev
libpsl-dev
libspf2-dev
libssl-dev
libunbound-dev
libyaml-dev
make
pkg-config
'

packages_test='
clang
clamav-daemon
clang-format
ldnsutils
libclang-rt-dev
libcmocka-dev
libnet-dns-perl
libnet-ssleay-perl
nsd
opendkim-tools
openssl
postfix
python3
python3-authres
python3-dkim
python3-pytest
python3-pytest-xdist
rbldnsd
spamassassin
spamd
swaks
unbound
'

# What the tests unpack beside the system, because it cannot be installed next to Postfix, and the
# shared libraries that it wants.
packages_unpacked='
exim4-base
exim4-daemon-light
'
packages_test="$packages_test
libdb5.3
libgnutls-dane0
libidn12
libnsl2
"

# rspamd wants libhyperscan5, which conflicts with the library of Vectorscan; so it is only unpacked.
packages_rspamd='
libhyperscan5
rspamd
'
packages_test="$packages_test
libglib2.0-0
libicu72
libluajit-5.1-2
libsodium23
libsqlite3-0
libunwind8
"

# Vectorscan and Hyperscan are the same library to a program, and cannot be installed side by side: where
# one is there already, it is taken.
case $(dpkg-query -W -f '${db:Status-Status}' libhyperscan5 2>/dev/null) in
installed) packages_test="$packages_test libhyperscan-dev" ;;
*) packages_test="$packages_test libvectorscan-dev" ;;
esac

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
				apt-get -o DPkg::Lock::Timeout=300 \
				install -q -y --no-remove --no-install-recommends "$@"
	) </dev/null
}

# packages_unpack DIR [PACKAGE...]: these packages (packages_unpacked) in DIR/root, without installing
# them. The user that they would make is made: Exim does not start without it.
packages_unpack()
{
	id Debian-exim >/dev/null 2>&1 ||
		packages_as_root useradd --system --no-create-home --home-dir /var/spool/exim4 \
			--shell /usr/sbin/nologin Debian-exim || return 1
	[ -f "$1/complete" ] && return 0
	mkdir -p "$1" && (
		cd "$1" || exit 1
		shift
		# shellcheck disable=SC2086 # a list of words
		[ $# -gt 0 ] || set -- $packages_unpacked
		apt-get download -q "$@" || {
			packages_as_root apt-get update -q && apt-get download -q "$@"
		} || exit 1
		for file in *.deb; do
			dpkg-deb -x "$file" root || exit 1
		done
		rm -f ./*.deb
		touch complete
	) </dev/null
}
