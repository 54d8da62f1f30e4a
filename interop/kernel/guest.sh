#!/bin/sh
# Boots a real kernel without KVM, and runs a command in it, as root of this
# machine's file system, read-only: `guest.sh GUEST OUT COMMAND...`. GUEST is
# what fetch_guest.sh has made, OUT is /mnt there, and written to. /dev/vfio/0
# and /dev/vfio/1 are mtty devices with one serial port and with two. Takes some
# 15 s. Exit status: the command's; 125 if it never came so far.
set -u

guest=$1
out=$(cd "$2" && pwd) || exit 125
shift 2
{
  echo "export PATH=$PATH"
  echo 'cd /mnt'
  printf exec
  for word; do printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done
  echo
} >"$out/.command"
rm -f "$out/.status"
share=security_model=none
timeout 300 qemu-system-x86_64 -accel tcg -smp 1 -m 1024 -nographic -no-reboot -nic none \
  -kernel "$guest/vmlinuz" -initrd "$guest/initrd.gz" \
  -append 'console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off' \
  -fsdev "local,id=root,path=/,multidevs=remap,readonly=on,$share" \
  -device virtio-9p-pci,fsdev=root,mount_tag=root \
  -fsdev "local,id=out,path=$out,$share" \
  -device virtio-9p-pci,fsdev=out,mount_tag=out </dev/null
status=$(cat "$out/.status" 2>/dev/null || echo 125)
rm -f "$out/.command" "$out/.status"
exit "$status"
