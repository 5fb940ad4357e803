#!/bin/sh
# build.sh DIR NAME [OPTION...]: builds the source tree as it is now in DIR/NAME, configured with
# the options, from a copy in DIR/source. Kept, and brought up to date by the next call. With
# COPY=no the copy is used as it is (for several builds of the same state).
# shellcheck disable=SC3013 # every sh of Debian has -nt
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/$2"
place=$(cd "$1" && pwd)
name=$2
shift 2

if [ "${COPY:-yes}" = yes ]; then
	"$tools/copy-source.sh" "$place/source"
fi
cd "$place/source"
if [ ! -f Makefile.in ] || [ configure.ac -nt Makefile.in ] || [ Makefile.am -nt Makefile.in ]; then
	sh ./autogen.sh
fi

cd "$place/$name"
if [ "$(cat .options 2>/dev/null)" != "$*" ] || [ ! -f config.status ] ||
	[ ../source/configure -nt config.status ]; then
	../source/configure -q "$@"
	echo "$*" >.options
fi
exec make -s -j"${JOBS:-2}"
