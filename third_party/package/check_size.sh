#!/bin/sh
# usage: check_size.sh LIBMIGSTREAM.so
# Says how many bytes of it there are, stripped; what a VMM loads has a limit.
set -eu
most=409600
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$1"
bytes=$(wc -c <"$stripped")
echo "$(basename "$1"): $bytes bytes, stripped"
[ "$bytes" -le "$most" ] || {
  echo "$1 may have $most bytes" >&2
  exit 1
}
