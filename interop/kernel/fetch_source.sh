#!/bin/sh
# Fetches the newest kernel's source that Debian has for its stable release, and
# unpacks what the drivers' oracles want of it (drivers.py); nothing is
# installed. Some 170 MB are downloaded, once, into $MIGSTREAM_LINUX/source
# (default: ~/.cache/migstream/linux).
# Exit status 1, and a line why, if it cannot be had.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${MIGSTREAM_LINUX:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/linux}
suite=${MIGSTREAM_LINUX_SUITE:-trixie-backports}
[ -e "$cache/source/release" ] && exit 0
. "$here/../debian_suites.sh"

part=$cache/source.part
rm -rf "$part"
mkdir -p "$part/files"
use_suites "$part" "$suite"
package=$(apt-cache search '^linux-source-[0-9.]+$' | awk '{ print $1 }' | sort -V | tail -n 1)
if [ -z "$package" ]; then
  echo "$0: $suite has no kernel's source" >&2
  exit 1
fi
cd "$part"
apt-get -qq download "$package"
version=$(dpkg-deb --field "$package"_*.deb Version)
folder=$package
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x -O "./usr/src/$folder.tar.xz" |
  tar -xJ -C files --strip-components=1 "$folder/drivers/vfio/pci" \
    "$folder/drivers/crypto/intel/qat/qat_common" "$folder/drivers/gpu/drm/xe" ||
  [ -d files/drivers/vfio/pci ]  # An older one has not all of them.
echo "$version" >files/release
rm -rf "$cache/source"
mv files "$cache/source"
cd /
rm -rf "$part"
