"""Every cell of README.md's compatibility matrix is as it says there: what QEMU
writes is read here and by QEMU, what is written here is loaded by QEMU, every
device gets its bytes, and what is refused is refused for the reason given."""

import functools

from interop.peer import cases, compatibility, crossings

# The others' cells are made when the matrix is.
RELEASES = ("7.2", "11.1")


def is_as_shown(found, row, reader, matrix, folder):
    for name in {row.writer, reader} & set(crossings.RELEASES):
        cases.release(found, name)
    cell = crossings.cross(row, found, reader, folder)
    shown = matrix.get((row.writer, row.name, reader))
    cases.expect(compatibility.show(cell) == shown, "the matrix shows", shown, "but:", cell.text)


def every_cell_is_tested(matrix, _):
    rows = {(row.writer, row.name, reader) for row in crossings.all_rows() for reader in row.readers}
    cases.expect_equal(set(matrix), rows)
    cases.expect(compatibility.UNEXPLAINED not in matrix.values(), "a cell without explanation")


def make_cases(found):
    with open(compatibility.README, encoding="utf-8") as file:
        matrix = compatibility.read(file.read())
    return [cases.Case("the matrix is whole", functools.partial(every_cell_is_tested, matrix))] + [
        cases.Case(
            "%s: %s -> %s" % (row.writer, row.name, reader),
            functools.partial(is_as_shown, found, row, reader, matrix),
        )
        for row in crossings.all_rows()
        for reader in row.readers
        if not {row.writer, reader} & (set(crossings.RELEASES) - set(RELEASES))
    ]


if __name__ == "__main__":
    cases.main(make_cases)
