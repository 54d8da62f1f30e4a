#!/bin/sh
# usage: cmake_test.sh PROGRAM
# Builds libmigstream and migstream-cxx with CMake and a compiler alone, installs them, and has what
# is built against them decode a capture as PROGRAM, which is migstream, does.
set -eu
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  cmake -S . -B "$work/build" -DCMAKE_BUILD_TYPE=Debug -DMIGSTREAM_INSPECT=OFF &&
    cmake --build "$work/build" -j "$(nproc)" &&
    cmake --install "$work/build" --prefix "$work/prefix"
} >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
third_party/package/consumers_test.sh "$work/prefix" "$program" \
  testdata/captures/s111-stop3m.qvm.zst
