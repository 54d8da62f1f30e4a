#!/bin/sh
# usage: bazel_object.sh BAZEL_BIN COMPILER ARGUMENT... -o OBJECT -c SOURCE
# CMake's compiler launcher for a test: copies the object that Bazel made of the same source. What
# Bazel has not compiled, and what is optimized as a whole library, goes to the compiler.
set -eu
bin=$1
shift
tree=$(cd "$(dirname "$0")/../.." && pwd)
object=
source=
previous=
for argument in "$@"; do
  case $argument in -flto*) exec "$@" ;; esac
  case $previous in
    -o) object=$argument ;;
    -c) source=${argument#"$tree"/} ;;
  esac
  previous=$argument
done
# A target that the source was in before can have left one: the newest counts.
built=$(find "$bin/$(dirname "$source")/_objs" -name "$(basename "$source" .cc).pic.o" -printf '%T@ %p\n' 2>/dev/null |
  sort -n | sed -n '$s/^[^ ]* //p')
[ -z "$built" ] || exec cp "$built" "$object"
exec "$@"
