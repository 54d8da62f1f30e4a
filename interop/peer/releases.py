"""The QEMU releases at hand, and how each is started under the shim.

`releases.txt` (made by //third_party:releases.bzl) has a line for each:
its release, its version and the root folder of its packages.
"""

import os
from dataclasses import dataclass

LIST = "../qemu/releases.txt"
SHIM = os.path.abspath("interop/libvfioshim.so")


@dataclass(frozen=True)
class Release:
    name: str  # "11.1"
    version: str  # "11.1.3"
    root: str  # "/", or where its packages were unpacked

    @property
    def number(self):
        return tuple(int(part) for part in self.name.split("."))

    @property
    def migration_region(self):
        """Whether VFIO devices are driven by the v1 protocol."""
        return self.number < (8, 0)

    def command(self):
        program = os.path.join(self.root, "usr/bin/qemu-system-x86_64")
        if self.root == "/":
            return [program]
        # Its own C library and loader; nothing of it leaks into children.
        return [
            os.path.join(self.root, "lib64/ld-linux-x86-64.so.2"),
            "--library-path",
            os.path.join(self.root, "usr/lib/x86_64-linux-gnu"),
            "--preload",
            SHIM,
            program,
            "-L",
            os.path.join(self.root, "usr/share/seabios"),
            "-L",
            os.path.join(self.root, "usr/share/qemu"),
        ]

    def environment(self):
        return {"LD_PRELOAD": SHIM} if self.root == "/" else {}


def find_all(path=LIST, oldest=(7, 2)):
    """By name. An older one writes streams that no later one loads."""
    with open(path, encoding="utf-8") as file:
        found = [Release(*line.split()) for line in file]
    return {release.name: release for release in found if release.number >= oldest}
