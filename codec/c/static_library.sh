#!/bin/sh
# usage: static_library.sh OUT.a SYMBOL... -- WRAPPED... -- WHOLE.a... -- OTHER.a...
# One object of all of WHOLE.a and what that needs of OTHER.a, in which only those symbols can be
# seen, which are patterns: no C++ of this library then meets the program's own. What calls a
# WRAPPED function calls __wrap_ of it.
set -eu
out=$1
shift
keeps=
while [ "$1" != -- ]; do keeps="$keeps --keep-global-symbol=$1"; shift; done
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
# objcopy leaves unique symbols as they are: they are made global ones first.
"$(dirname "$0")/plain_symbols.py" "$object"
# A pattern is not for the shell.
set -f
# shellcheck disable=SC2086
objcopy --wildcard $keeps "$object"
rm -f "$out"
ar rcsD "$out" "$object"
rm -f "$object"
