#!/bin/sh
# Lists what there is of a kernel, a line each: what it is, its release, and the
# folder where it is. See fetch_source.sh and fetch_guest.sh.
set -eu

cache=${MIGSTREAM_LINUX:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/linux}
for what in source guest; do
  [ ! -e "$cache/$what/release" ] || echo "$what $(cat "$cache/$what/release") $cache/$what"
done
