#!/bin/sh
# usage: cmake_test.sh PROGRAM
# Builds all that CMake builds, as for a release and without a warning: some of the compiler's come
# with optimization only. Installs it, and has what is built against it decode a capture as PROGRAM,
# which is migstream, does. What of libmigstream a VMM loads has a limit.
set -eu
most=409600
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  cmake -S . -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DMIGSTREAM_INSPECT=ON \
    -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_CXX_FLAGS=-D_FORTIFY_SOURCE=2 &&
    cmake --build "$work/build" -j "$(nproc)" &&
    cmake --install "$work/build" --prefix "$work/prefix" --strip
} >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
bytes=$(wc -c <"$work/prefix/lib/libmigstream.so.1")
[ "$bytes" -le "$most" ] || {
  echo "libmigstream.so.1 has $bytes bytes, the limit is $most" >&2
  exit 1
}
third_party/package/consumers_test.sh "$work/prefix" "$program" \
  testdata/captures/s111-stop3m.qvm.zst
