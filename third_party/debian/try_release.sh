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
. "$tree/third_party/debian/chroot.sh"
make_chroot "$suite"
in_tree() {
  in_chroot sh -c 'cd /src && "$@"' sh "$@"
}
leave() {
  # What runs in there, Bazel's server, is told to end first.
  [ ! -x "$root/usr/bin/bazel" ] || in_tree bazel shutdown || :
  leave_chroot
}
trap leave EXIT

mkdir "$root/src"
tar -c -C "$tree" --exclude=./.git --exclude='./bazel-*' . | tar -x -C "$root/src"
in_tree third_party/install.sh
in_tree "$@"
