#!/bin/sh
# Puts beside the QEMU 10.0 that fetch_qemu.sh has unpacked what machines_test
# asks besides the installed ones: the targets of Debian's qemu-system-misc and
# qemu-system-sparc, and QEMU's own scripts/analyze-migration.py, out of its
# source. Some 100 MB are downloaded, once; nothing is installed. Exit status 1,
# and a line why, if they cannot be had.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${MIGSTREAM_QEMU:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/qemu}
root=$cache/10.0
. "$here/debian_suites.sh"

[ -e "$root/analyze-migration.py" ] && exit 0
"$here/fetch_qemu.sh" 10.0
if [ ! -d "$root" ]; then
  echo "$0: QEMU 10.0 is the installed one; apt-get install qemu-system-misc qemu-system-sparc" >&2
  exit 1
fi
work=$cache/machines.part
rm -rf "$work"
mkdir -p "$work/source"
use_suites "$work" trixie
apt-get -qq -y --no-install-recommends --download-only install qemu-system-misc qemu-system-sparc
for package in "$work"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" |
    tar -x -C "$root" --exclude=./usr/share/doc --exclude=./usr/share/man
done
sed 's/^deb /deb-src /' "$work/etc/sources.list" >"$work/etc/source.list"
cat "$work/etc/source.list" >>"$work/etc/sources.list"
apt-get -qq update
(cd "$work/source" && apt-get -qq source --download-only qemu)
tar -xOf "$work"/source/qemu_*.orig.tar.xz --wildcards '*/scripts/analyze-migration.py' \
  >"$work/analyze-migration.py"
mv "$work/analyze-migration.py" "$root/"
rm -rf "$work"
