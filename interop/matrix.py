"""Makes the compatibility matrix, and puts it into README.md.

    bazel run //interop:matrix

Exit status 1 if a cell is neither good nor explained (peer/compatibility.py).
"""

import concurrent.futures
import os
import sys
import tempfile

from interop.peer import cases, compatibility, crossings, releases


def cross(number, reader):
    row = crossings.all_rows()[number]
    with tempfile.TemporaryDirectory(prefix="ms", dir=cases.TEMP) as folder:
        return crossings.cross(row, releases.find_all(), reader, folder)


def main():
    missing = set(crossings.RELEASES) - releases.find_all().keys()
    if missing:
        sys.exit("matrix: there is no QEMU %s here" % ", ".join(sorted(missing)))
    cells = {}
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, row in enumerate(crossings.all_rows()):
            for reader in row.readers:
                cells[row.writer, row.name, reader] = pool.submit(cross, number, reader)
    shown = {}
    for key, future in cells.items():
        cell = future.result()
        shown[key] = compatibility.show(cell)
        if shown[key] == compatibility.UNEXPLAINED:
            print("%s: %s -> %s: %s" % (*key, cell.text), file=sys.stderr)
    readme = os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], compatibility.README)
    with open(readme, encoding="utf-8") as file:
        before, rest = file.read().split(compatibility.BEGIN)
    after = rest.split(compatibility.END)[1]
    with open(readme, "w", encoding="utf-8") as file:
        file.write(before + compatibility.BEGIN + "\n\n" + compatibility.write(shown) + "\n")
        file.write(compatibility.END + after)
    good = sum(each == crossings.GOOD for each in shown.values())
    print("%d cells, %d of them good" % (len(shown), good))
    sys.exit(compatibility.UNEXPLAINED in shown.values())


if __name__ == "__main__":
    main()
