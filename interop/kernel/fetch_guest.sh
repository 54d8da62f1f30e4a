#!/bin/sh
# Makes what a guest with real VFIO devices needs, from Debian's packages: a
# kernel, its sample driver mtty built as a module, and a root file system of
# one program that loads the modules. Nothing is installed. Some 260 MB are
# downloaded, once, into $MIGSTREAM_LINUX/guest (default:
# ~/.cache/migstream/linux). Needs gcc, make, xz, cpio.
# Exit status 1, and a line why, if it cannot be had.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${MIGSTREAM_LINUX:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/linux}
# Its compiler is this machine's.
suite=bookworm-backports
[ -e "$cache/guest/release" ] && exit 0
for need in gcc make xz cpio; do
  command -v "$need" >/dev/null || {
    echo "$0: $need is missing" >&2
    exit 1
  }
done
. "$here/../debian_suites.sh"

part=$cache/guest.part
rm -rf "$part"
mkdir -p "$part/root" "$part/mtty" "$part/guest"
use_suites "$part" "$suite" bookworm
cd "$part"

# The newest kernel there is, and what carries the same version.
image=$(apt-cache search --names-only '^linux-image-[0-9.]+\+deb12[.0-9]*-amd64$' |
  awk '{ print $1 }' | sort -V | tail -n 1)
release=${image#linux-image-}
common=${release%-amd64}
series=$(echo "$release" | cut -d . -f 1,2)
version=$(apt-cache policy "$image" | awk '/Candidate:/ { print $2 }')
apt-get -qq download "$image" "linux-headers-$release" "linux-headers-$common-common" \
  "linux-kbuild-$common" "linux-source-$series=$version" busybox-static
for package in linux-image-*.deb linux-headers-*.deb linux-kbuild-*.deb busybox-static_*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C root
done
dpkg-deb --fsys-tarfile "linux-source-$series"_*.deb |
  tar -x -O "./usr/src/linux-source-$series.tar.xz" |
  tar -xJ -C mtty --strip-components=3 "linux-source-$series/samples/vfio-mdev/mtty.c"
echo 'obj-m := mtty.o' >mtty/Makefile

# The headers find each other by absolute paths.
headers=$part/root/usr/src/linux-headers-$release
for folder in "$headers" "$part/root/usr/src/linux-headers-$common-common"; do
  sed -i "s#/usr/src/#$part/root/usr/src/#g" "$folder/Makefile"
  for name in scripts tools; do
    ln -sfn "$part/root/usr/lib/linux-kbuild-$common/$name" "$folder/$name"
  done
done
make -s -C "$headers" M="$part/mtty" CC=gcc CONFIG_DEBUG_INFO_BTF_MODULES= modules

mkdir -p initrd/bin initrd/modules initrd/proc initrd/sys initrd/dev initrd/host
cp "$(find root -type f -path '*/bin/busybox')" initrd/bin/busybox
for module in fs/netfs/netfs net/9p/9pnet net/9p/9pnet_virtio fs/9p/9p drivers/vfio/vfio \
  drivers/vfio/vfio_iommu_type1 drivers/vfio/mdev/mdev; do
  xz -dc "root/lib/modules/$release/kernel/$module.ko.xz" >"initrd/modules/${module##*/}.ko"
done
cp mtty/mtty.ko initrd/modules/
cp "$here/guest_init" initrd/init
chmod +x initrd/init
cp "root/boot/vmlinuz-$release" guest/vmlinuz
(cd initrd && find . | cpio -o -H newc --quiet) | gzip -1 >guest/initrd.gz
echo "$series" >guest/release
rm -rf "$cache/guest"
mv guest "$cache/guest"
cd /
rm -rf "$part"
