#!/bin/sh
# usage: chroot_test.sh                what `bazel run -c opt //:install -- /usr/local` installs
#        chroot_test.sh PACKAGES       the packages that third_party/debian/build.sh put there
# In an empty chroot of this machine's Debian release, with compilers, Meson, CMake, rustc and Python,
# and without Bazel and the headers of Abseil, protobuf and RapidJSON: programs are built against what
# is installed, and each decodes a capture, saves a device and loads it, as consumers_test.sh says.
# Needs root, debootstrap, a network, and 2 GiB in $TMPDIR; the chroot goes when it ends.
set -eu
case ${1:-} in -*) sed -n '2,3s/^# *//p' "$0" >&2 && exit 2 ;; esac
packages=
[ $# -eq 0 ] || packages=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
. third_party/debian/chroot.sh
make_chroot "$(. /etc/os-release && echo "$VERSION_CODENAME")"
in_chroot apt-get -q update
in_chroot apt-get -qy install --no-install-recommends gcc g++ meson cmake make pkg-config rustc python3

if [ -n "$packages" ]; then
  mkdir "$root/packages"
  cp "$packages"/*.deb "$root/packages"
  in_chroot sh -c 'apt-get -qy install --no-install-recommends /packages/*.deb'
  prefix=/usr
  libdir=lib/$(gcc -print-multiarch)
else
  prefix=/usr/local
  libdir=lib
  DESTDIR="$root" bazel run -c opt --noshow_progress //:install -- "$prefix"
  # The shared libraries of libmigstream-inspect, by the packages that they are from here.
  # shellcheck disable=SC2046
  in_chroot apt-get -qy install --no-install-recommends $(
    ldd "$root$prefix/$libdir/libmigstream-inspect.so.1" | sed -n 's/.* => \(.*\) (.*/\1/p' |
      xargs realpath | sed 's,^/usr/lib/,*/lib/,' | xargs dpkg-query -S | sed 's/:.*//' | sort -u
  )
  in_chroot ldconfig
fi
for foreign in /usr/bin/bazel /usr/include/absl /usr/include/google /usr/include/rapidjson; do
  [ ! -e "$root$foreign" ] || {
    echo "$foreign is in the chroot" >&2
    exit 1
  }
done
third_party/package/check_size.sh "$root$prefix/$libdir/libmigstream.so.1"

capture=testdata/captures/s111-stop3m.qvm.zst
cp -rL third_party/package/consumers_test.sh third_party/package/consumers "$capture" "$root/root"
in_chroot "$prefix/bin/migstream" inspect "/root/$(basename "$capture")"
in_chroot /root/consumers_test.sh "$prefix" "$prefix/bin/migstream" "/root/$(basename "$capture")" \
  "$libdir" >"$root/log" || {
  cat "$root/log"
  exit 1
}
cat "$root/log"
! grep 'left out' "$root/log"
