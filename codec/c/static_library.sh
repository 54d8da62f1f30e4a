#!/bin/sh
# usage: static_library.sh OUT.a WRAPPED... -- WHOLE.a... -- OTHER.a...
# One object of all of WHOLE.a and what that needs of OTHER.a, in which only migstream_* can be
# seen: no C++ of this library then meets the program's own. WRAPPED functions become __wrap_*.
set -eu
out=$1
shift
wraps=
while [ "$1" != -- ]; do wraps="$wraps --wrap=$1"; shift; done
shift
whole=
while [ "$1" != -- ]; do whole="$whole $1"; shift; done
shift
object=${out%.a}.o
# shellcheck disable=SC2086
ld.bfd -r --force-group-allocation $wraps -o "$object" --whole-archive $whole \
  --no-whole-archive --start-group "$@" --end-group
objcopy --wildcard --keep-global-symbol='migstream_*' "$object"
rm -f "$out"
ar rcsD "$out" "$object"
rm -f "$object"
