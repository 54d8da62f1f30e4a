"""Runs a test's cases: named functions that are given an empty folder.

A case fails by an exception, and is skipped by Skipped. Names and outcomes go
where Bazel wants them, this shard's cases only.
"""

import os
import re
import sys
import tempfile
import traceback
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from interop.peer import releases

# Short, as sockets stand in it.
TEMP = "/tmp"


class Skipped(Exception):
    """The machine lacks what the case needs."""


@dataclass(frozen=True)
class Case:
    name: str
    run: object  # Called with the path of an empty folder.


def expect(truth, *said):
    if not truth:
        raise AssertionError(" ".join(str(word) for word in said))


def expect_equal(got, wanted):
    if got != wanted:
        raise AssertionError("only here: %s; only there: %s" % (got - wanted, wanted - got))


def expect_equal_bytes(got, wanted, what):
    """Says where two strings of bytes part, without printing them."""
    if got == wanted:
        return
    at = next(
        (i for i, (a, b) in enumerate(zip(got, wanted)) if a != b),
        min(len(got), len(wanted)),
    )
    raise AssertionError(
        "%s: %d bytes, not %d; they differ from byte %d on" % (what, len(got), len(wanted), at)
    )


def release(found, name):
    if name not in found:
        raise Skipped("there is no QEMU %s here; see interop/fetch_qemu.sh" % name)
    return found[name]


def main(make_cases):
    """Runs make_cases(releases by name); ends the process."""
    cases = make_cases(releases.find_all())
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    shards = int(os.environ.get("TEST_TOTAL_SHARDS", 1))
    if shards > 1:
        open(os.environ["TEST_SHARD_STATUS_FILE"], "wb").close()
        cases = cases[int(os.environ["TEST_SHARD_INDEX"]) :: shards]
    wanted = os.environ.get("TESTBRIDGE_TEST_ONLY", "")  # bazel's --test_filter
    results = [(case.name, *_run(case)) for case in cases if re.search(wanted, case.name)]
    if "XML_OUTPUT_FILE" in os.environ:
        with open(os.environ["XML_OUTPUT_FILE"], "w", encoding="utf-8") as file:
            file.write(_xml(results))
    counts = {}
    for _, outcome, _ in results:
        counts[outcome] = counts.get(outcome, 0) + 1
    print(", ".join("%d %s" % (count, word) for word, count in counts.items()))
    sys.exit(1 if "failed" in counts else 0)


def _run(case):
    with tempfile.TemporaryDirectory(prefix="ms", dir=TEMP) as folder:
        try:
            case.run(folder)
            outcome, said = "passed", ""
        except Skipped as reason:
            outcome, said = "skipped", str(reason)
        except AssertionError as reason:
            outcome, said = "failed", str(reason)
        except Exception:
            outcome, said = "failed", traceback.format_exc()
    print("%s: %s%s" % (outcome, case.name, "\n  " + said if said else ""), flush=True)
    return outcome, said


def _xml(results):
    lines = ["<testsuites>", "<testsuite name=%s>" % quoteattr(os.path.basename(sys.argv[0]))]
    for name, outcome, said in results:
        lines.append('<testcase name=%s status="run">' % quoteattr(name))
        if outcome != "passed":
            element = {"skipped": "skipped", "failed": "failure"}[outcome]
            lines.append("<%s message=%s/>" % (element, quoteattr(_printable(said))))
        lines.append("</testcase>")
    return "\n".join(lines + ["</testsuite>", "</testsuites>", ""])


def _printable(text):
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
