# shellcheck shell=sh
# To be sourced: a chroot of a Debian release, which goes when the shell ends. Needs root, debootstrap
# and a network.

# usage: make_chroot SUITE
# Makes it in $TMPDIR, and sets $root.
make_chroot() {
  root=$(mktemp -d)
  trap leave_chroot EXIT
  trap 'exit 1' INT TERM
  debootstrap --variant=minbase --include=ca-certificates "$1" "$root"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount -t devpts devpts "$root/dev/pts"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
}

# usage: in_chroot COMMAND [ARGUMENT...]
# Runs it there, in /.
in_chroot() {
  chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive "$@"
}

leave_chroot() {
  for mount in dev/pts dev proc; do umount "$root/$mount" 2>/dev/null || :; done
  if grep -q " $root/" /proc/mounts; then
    echo "$0: $root has something mounted, and stays" >&2
  else
    rm -rf --one-file-system "$root"
  fi
}
