#!/bin/sh
# In the guest: makes two more devices of two ports, and asks what the session
# library says of them; then, with QEMU's folder and a file of lengths, moves
# them from a QEMU to the library and back.
set -u
types=/sys/devices/virtual/mtty/mtty/mdev_supported_types
a=83b8f4f2-509f-382f-3c1e-e6bfe0fa1003
b=83b8f4f2-509f-382f-3c1e-e6bfe0fa1004
echo $a >$types/mtty-2/create
echo $b >$types/mtty-2/create
./session_peer /dev/vfio/2:$a /dev/vfio/3:$b || exit
[ $# -eq 0 ] || exec "$@" $a $b
