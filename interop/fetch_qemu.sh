#!/bin/sh
# Puts QEMU releases beside the installed one, from Debian packages, installing
# nothing: `interop/fetch_qemu.sh 10.0 11.1`, or without arguments all that are
# known and are not the installed one. Each goes into a folder of its own,
# $MIGSTREAM_QEMU/RELEASE (default: ~/.cache/migstream/qemu), where the harness
# finds it. A release that is there already is left alone.
# Exit status 1, and a line why, if one cannot be had.
set -eu

cache=${MIGSTREAM_QEMU:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/qemu}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian_suites.sh"

fetch() {
  release=$1
  case $release in
    5.2) suite=bullseye pinned= ;;
    7.2) suite=bookworm pinned= ;;
    10.0) suite=trixie pinned= ;;
    11.1) suite=trixie pinned=trixie-backports ;;
    *)
      echo "$0: no Debian suite with QEMU $release is known, only 5.2, 7.2, 10.0 and 11.1" >&2
      return 1
      ;;
  esac
  work=$cache/$release.part
  rm -rf "$work"
  mkdir -p "$work/root"
  # shellcheck disable=SC2086
  use_suites "$work" $suite $pinned
  apt-get -qq -y --no-install-recommends --download-only ${pinned:+-t "$pinned"} \
    install qemu-system-x86 seabios ipxe-qemu
  # A C library older than the shim's does not take the shim; this machine's does.
  if [ "$release" = 5.2 ]; then
    rm "$work"/cache/archives/libc6_*.deb
    mkdir -p "$work/root/lib64"
    ln -s /lib64/ld-linux-x86-64.so.2 "$work/root/lib64/"
  fi
  for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
      tar -x -C "$work/root" --exclude=./usr/share/doc --exclude=./usr/share/man
  done
  # Debian 11 has /lib beside /usr/lib.
  if [ -d "$work/root/lib" ] && [ ! -L "$work/root/lib" ]; then
    cp -a "$work/root/lib/." "$work/root/usr/lib/"
  fi
  [ -e "$work/root/lib64" ] || ln -s usr/lib64 "$work/root/lib64"
  mv "$work/root" "$cache/$release"
  rm -rf "$work"
}

installed=$(/usr/bin/qemu-system-x86_64 --version 2>/dev/null |
  sed -n 's/^QEMU emulator version \([0-9]*\.[0-9]*\).*/\1/p')
[ $# -gt 0 ] || set -- 7.2 10.0 11.1
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
status=0
for release; do
  [ "$release" = "$installed" ] && continue
  [ -x "$cache/$release/usr/bin/qemu-system-x86_64" ] && continue
  log=$(mktemp)
  # In the background, as `set -e` is off in a command that is tested.
  fetch "$release" >"$log" 2>&1 &
  if ! wait $!; then
    cat "$log" >&2
    echo "$0: could not get QEMU $release" >&2
    status=1
  fi
  rm -f "$log"
done
exit "$status"
