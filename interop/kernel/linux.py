"""What there is of a kernel here, by the list that //third_party:releases.bzl makes."""

from interop.peer import cases

LIST = "../linux/releases.txt"


def folder(what, script):
    """(Its release, its folder); the case is skipped where it is not there."""
    with open(LIST, encoding="utf-8") as file:
        for line in file:
            name, release, path = line.split(None, 2)
            if name == what:
                return release, path.strip()
    raise cases.Skipped("not here: interop/kernel/%s fetches it" % script)
