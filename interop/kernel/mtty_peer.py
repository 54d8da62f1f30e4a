"""In the guest: gives payloads to the real mtty driver, as a VMM does on resume.

`mtty_peer.py PAYLOADS ANSWERS`: PAYLOADS is a JSON list of [hex, bytes of the first write];
ANSWERS gets a list of "accept", "write ERRNO" and "stop ERRNO". The device has as many ports as
the payload says, two if that is neither one nor two.
"""

import errno
import fcntl
import json
import os
import struct
import sys

# include/uapi/linux/vfio.h.
SET_IOMMU, GROUP_SET_CONTAINER, GROUP_GET_DEVICE_FD = 0x3B66, 0x3B68, 0x3B6A
DEVICE_RESET, DEVICE_FEATURE = 0x3B6F, 0x3B75
TYPE1V2_IOMMU = 3
FEATURE_SET, FEATURE_MIG_DEVICE_STATE = 1 << 17, 2
STATE_STOP, STATE_RESUMING = 1, 4

UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa100%d"


def open_device(ports):
    container = os.open("/dev/vfio/vfio", os.O_RDWR)
    group = os.open("/dev/vfio/%d" % (ports - 1), os.O_RDWR)
    fcntl.ioctl(group, GROUP_SET_CONTAINER, struct.pack("<i", container))
    fcntl.ioctl(container, SET_IOMMU, TYPE1V2_IOMMU)
    # What it returns is the fd only where the argument can be written to.
    return fcntl.ioctl(group, GROUP_GET_DEVICE_FD, bytearray((UUID % ports).encode() + b"\0"))


def set_state(device, state):
    """The data fd, where the state has one."""
    feature = struct.pack("<IIIi", 16, FEATURE_SET | FEATURE_MIG_DEVICE_STATE, state, -1)
    return struct.unpack("<IIIi", fcntl.ioctl(device, DEVICE_FEATURE, feature))[3]


def resume(device, writes):
    fcntl.ioctl(device, DEVICE_RESET)
    data = set_state(device, STATE_RESUMING)
    try:
        for piece in writes:
            while piece:
                piece = piece[os.write(data, piece) :]
    except OSError as error:
        return "write " + errno.errorcode[error.errno]
    finally:
        os.close(data)
    try:
        set_state(device, STATE_STOP)
    except OSError as error:
        return "stop " + errno.errorcode[error.errno]
    return "accept"


def main():
    devices = [open_device(1), open_device(2)]
    with open(sys.argv[1], encoding="utf-8") as file:
        payloads = json.load(file)
    answers = []
    for text, first in payloads:
        data = bytes.fromhex(text)
        ports = int.from_bytes(data[16:20], "little")
        answers.append(resume(devices[ports != 1], [data[:first], data[first:]]))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
