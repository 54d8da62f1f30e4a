"""The first migrations of the soak, a case for each."""

import functools

from interop import soak
from interop.peer import cases

COUNT = 20


def migrates(found, seed, folder):
    if not found:
        raise cases.Skipped("there is no QEMU here")
    soak.migrate(found, seed, folder)


def make_cases(found):
    return [
        cases.Case("seed %d" % seed, functools.partial(migrates, found, seed))
        for seed in range(1, 1 + COUNT)
    ]


if __name__ == "__main__":
    cases.main(make_cases)
