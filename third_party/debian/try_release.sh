#!/bin/sh
# usage: third_party/debian/try_release.sh 13 [COMMAND...]
# Makes a chroot of that Debian release, puts this tree into it, installs what third_party/install.sh
# says, and runs COMMAND there, in the tree; without one, README's command that builds the program.
# Needs root, debootstrap, a network, and 4 GiB in $TMPDIR; the chroot goes when it ends.
set -eu
case ${1:-} in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *)
    sed -n '2,5s/^# *//p' "$0" >&2
    exit 2
    ;;
esac
shift
[ $# -gt 0 ] || set -- sh -c 'bazel build -c opt //inspect:migstream &&
  bazel-bin/inspect/migstream inspect testdata/captures/s111-switchover-ack.qvm.zst'
tree=$(cd "$(dirname "$0")/../.." && pwd)
root=$(mktemp -d)
leave() {
  # What runs in there, Bazel's server, is told to end first.
  [ ! -x "$root/usr/bin/bazel" ] || chroot "$root" sh -c 'cd /src && bazel shutdown' || :
  for mount in dev/pts dev proc; do umount "$root/$mount" 2>/dev/null || :; done
  if grep -q " $root/" /proc/mounts; then
    echo "$0: $root has something mounted, and stays" >&2
  else
    rm -rf --one-file-system "$root"
  fi
}
trap leave EXIT
trap 'exit 1' INT TERM

debootstrap --variant=minbase --include=ca-certificates "$suite" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t devpts devpts "$root/dev/pts"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/src"
tar -c -C "$tree" --exclude=./.git --exclude='./bazel-*' . | tar -x -C "$root/src"

in_chroot() {
  chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    sh -c 'cd /src && "$@"' sh "$@"
}
in_chroot third_party/install.sh
in_chroot "$@"
