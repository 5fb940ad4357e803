#!/bin/sh
# Makes ./configure; wanted once after a checkout, not in a release tarball.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
