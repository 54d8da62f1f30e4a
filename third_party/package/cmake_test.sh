#!/bin/sh
# usage: cmake_test.sh PROGRAM [BAZEL_BIN]
# Builds all that CMake builds, as for a release and without a warning: some of the compiler's come
# with optimization only. Installs it, and has what is built against it decode a capture as PROGRAM,
# which is migstream, does. What of libmigstream a VMM loads has a limit. With BAZEL_BIN, Bazel's
# folder of that name, only that is compiled, and the rest is linked of Bazel's objects.
set -eu
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
objects=
[ $# -lt 2 ] || objects=$(cd "$2" && pwd -P)
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  cmake -S . -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DMIGSTREAM_INSPECT=ON \
    -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_CXX_FLAGS=-D_FORTIFY_SOURCE=2 \
    ${objects:+"-DCMAKE_CXX_COMPILER_LAUNCHER=$PWD/third_party/package/bazel_object.sh;$objects"} &&
    cmake --build "$work/build" -j "$(nproc)" &&
    cmake --install "$work/build" --prefix "$work/prefix" --strip
} >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
third_party/package/check_size.sh "$work/prefix/lib/libmigstream.so.1"
third_party/package/consumers_test.sh "$work/prefix" "$program" \
  testdata/captures/s111-stop3m.qvm.zst
