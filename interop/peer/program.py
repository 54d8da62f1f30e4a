"""The program under test."""

import subprocess

PROGRAM = "inspect/migstream"


class Failed(Exception):
    """It did not do what it was told; the text is what it said."""


def run(*words):
    """Its exit status, output (bytes) and errors (text)."""
    done = subprocess.run(
        [PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def must(*words):
    """Its output, where nothing but success will do."""
    status, output, errors = run(*words)
    if status:
        raise Failed("migstream %s: %s%s" % (" ".join(words), output.decode(), errors))
    return output


def faults(output):
    """The lines of errors and warnings in what `check` prints."""
    lines = output.decode(errors="replace").splitlines()
    return [line for line in lines if ": error: " in line or ": warning: " in line]


def findings(streams, *options):
    """What `check` finds wrong: a line each, notes left out."""
    status, output, errors = run("check", streams.main, *streams.channels, *options)
    lines = faults(output)
    if status == 2 or bool(status) != bool(lines):
        raise Failed("check: exit status %d: %s%s" % (status, output.decode(), errors))
    return lines


def payload(streams, section):
    return must(
        "extract", streams.main, *streams.channels, "--device=" + section, "-o", "-"
    )
