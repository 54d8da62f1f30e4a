#!/bin/sh
# usage: third_party/debian/build.sh OUT [TREE]
# Builds the Debian packages of these sources into the folder OUT, by CMake, and has lintian look at
# them. Or makes them of TREE, where Bazel has installed what it built:
#   DESTDIR=TREE bazel run -c opt //:install -- /usr lib/x86_64-linux-gnu
# Needs: cmake debhelper fakeroot lintian, and what third_party/install.sh installs.
set -eu
[ $# -eq 1 ] || [ $# -eq 2 ] || {
  sed -n '2,6s/^# *//p' "$0" >&2
  exit 2
}
if [ $# -eq 2 ]; then
  MIGSTREAM_TREE=$(cd "$2" && pwd)
  export MIGSTREAM_TREE
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
tree=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=$(sed -n 's/^#define MIGSTREAM_VERSION "\(.*\)"/\1/p' "$tree/codec/version.h")
mkdir "$work/migstream-$version"
tar -c -C "$tree" --exclude=./.git --exclude='./bazel-*' . | tar -x -C "$work/migstream-$version"
cd "$work/migstream-$version"
cp -r third_party/debian debian
# The date of the tree's last change makes the packages the same each time.
cat >debian/changelog <<CHANGELOG
migstream ($version) UNRELEASED; urgency=medium

  * See CHANGELOG.md.

 -- migstream developers <migstream@migstream.invalid>  $(date -R -u -r CHANGELOG.md)
CHANGELOG
dpkg-buildpackage --build=binary --no-sign
cp ../*.deb ../*.buildinfo ../*.changes "$out"
lintian --fail-on error "$out"/migstream_"$version"_*.changes
