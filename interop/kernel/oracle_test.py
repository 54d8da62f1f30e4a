"""Each driver's resume code, from a kernel's source, agrees with the library: oracle.py."""

import functools

from interop.kernel import drivers, linux, oracle
from interop.peer import cases


def agrees(driver, folder):
    _, source = linux.folder("source", "fetch_source.sh")
    if not drivers.has(source, driver):
        raise cases.Skipped("the kernel's release has no such driver")
    oracle.compare(driver, source, oracle.MUTANTS, folder)


def make_cases(_):
    return [
        cases.Case("the kernel's %s" % driver, functools.partial(agrees, driver))
        for driver in drivers.CUTS
    ]


if __name__ == "__main__":
    cases.main(make_cases)
