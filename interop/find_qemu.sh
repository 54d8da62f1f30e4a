#!/bin/sh
# Lists the QEMU releases at hand, a line for each: release, version, and the
# folder where its packages are. The installed one's is /; see fetch_qemu.sh for
# the others.
set -eu

list() { # ROOT COMMAND...
  root=$1
  shift
  version=$("$@" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
  [ -z "$version" ] || echo "$(echo "$version" | cut -d . -f 1,2) $version $root"
}

[ ! -x /usr/bin/qemu-system-x86_64 ] || list / /usr/bin/qemu-system-x86_64
for root in "${MIGSTREAM_QEMU:-${XDG_CACHE_HOME:-$HOME/.cache}/migstream/qemu}"/*; do
  [ -x "$root/usr/bin/qemu-system-x86_64" ] || continue
  list "$root" "$root/lib64/ld-linux-x86-64.so.2" \
    --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/usr/bin/qemu-system-x86_64"
done
