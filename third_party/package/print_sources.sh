#!/bin/sh
# usage: print_sources.sh LABELS...
# Prints each file of labels as a list for CMake, under the file's name.
set -eu
cat <<'HEAD'
# Which sources make what. Bazel writes this, and a test compares:
#   bazel build //third_party/package:sources
#   cp bazel-bin/third_party/package/sources.cmake.new third_party/package/sources.cmake
HEAD
for list; do
  echo
  echo "set($(basename "$list")"
  sed -n 's#^//\([^:]*\):\(.*\.\(cc\|h\|proto\)\)$#  \1/\2#p' "$list" |
    case $list in
      *_HEADERS) grep '\.h$' ;;
      *_PROTOS) cat ;;
      *) grep '\.cc$' ;;
    esac | LC_ALL=C sort -u
  echo ')'
done
