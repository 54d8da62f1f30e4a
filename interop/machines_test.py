"""Streams of other machines than the PC, by whatever QEMU of theirs is here:
`check` is clean, and `inspect --state` prints what QEMU's own script prints,
where that reads them."""

import functools
import os
import signal
import subprocess
import sys

from interop.peer import cases, program, qemu

SCRIPT = "analyze-migration.py"
# Target, machine, whether it starts with a firmware of zeros; the guest never
# runs. The pages of versatilepb have 1 KiB, those of clipper and sun4u 8 KiB.
MACHINES = [
    ("aarch64", ("-M", "virt", "-cpu", "cortex-a53"), False),
    ("arm", ("-M", "versatilepb", "-audiodev", "none,id=a"), False),
    ("riscv64", ("-M", "virt"), True),
    ("s390x", ("-M", "s390-ccw-virtio"), False),
    ("alpha", ("-M", "clipper"), False),
    ("sparc64", ("-M", "sun4u"), True),
]
# The first release whose stream of the target the script reads; None: it does
# not read a subsection of CONFIGURATION, which this target has. Before 10.0 the
# description of s390_css has a struct without fields.
SCRIPT_READS_SINCE = {"aarch64": None, "s390x": (10, 0)}


def fetched(found):
    """The roots of unpacked releases."""
    return [release.root for release in found.values() if release.root != "/"]


def programs(found, target):
    """Commands that start a QEMU of the target; the installed one first."""
    name = "usr/bin/qemu-system-" + target
    if os.path.exists("/" + name):
        yield ["/" + name]
    for root in fetched(found):
        if os.path.exists(os.path.join(root, name)):
            loader = os.path.join(root, "lib64/ld-linux-x86-64.so.2")
            libraries = os.path.join(root, "usr/lib/x86_64-linux-gnu")
            data = os.path.join(root, "usr/share/qemu")
            yield [loader, "--library-path", libraries, os.path.join(root, name), "-L", data]


def release_of(command):
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    return tuple(int(number) for number in done.stdout.split("version ")[1].split(".")[:2])


def capture(found, target, arguments, blank, folder):
    """The stream's file, and the release that wrote it."""
    stream = os.path.join(folder, "stream.qvm")
    firmware = os.path.join(folder, "blank")
    with open(firmware, "wb") as file:
        file.write(bytes(64 << 10))
    died = ""
    for command in programs(found, target):
        release = release_of(command)
        done = subprocess.run(
            [*command, *arguments, *(("-bios", firmware) if blank else ())]
            + ["-m", "64", "-nodefaults", "-serial", "none", "-display", "none"]
            + ["-monitor", "stdio", "-S"],
            input='migrate "exec:cat > %s"\nquit\n' % stream,
            capture_output=True,
            text=True,
            timeout=qemu.LIMIT,
        )
        if done.returncode == 0:
            return stream, release
        # 7.2 divides by zero where its pages are larger than the host's.
        cases.expect(done.returncode == -signal.SIGFPE, done.stdout, done.stderr)
        died = ".".join(map(str, release))
    said = "that of %s divides by zero" % died if died else "there is no QEMU of it here"
    raise cases.Skipped(said + "; see interop/fetch_machines.sh")


def script_of(found):
    for root in fetched(found):
        path = os.path.join(root, SCRIPT)
        if os.path.exists(path):
            return path
    return None


def is_read(found, target, arguments, blank, folder):
    stream, release = capture(found, target, arguments, blank, folder)
    status, output, errors = program.run("check", stream)
    cases.expect(status == 0, output.decode(), errors)
    ours = program.must("inspect", "--state", stream)
    script = script_of(found)
    if not script:
        raise cases.Skipped("check is clean; QEMU's script is not here, see fetch_machines.sh")
    done = subprocess.run([sys.executable, script, "-f", stream], capture_output=True, check=False)
    since = SCRIPT_READS_SINCE.get(target, (0,))
    cases.expect(
        (done.returncode == 0) == (since is not None and release >= since),
        "the script ends with",
        done.returncode,
        done.stderr[-2000:].decode(errors="replace"),
    )
    if done.returncode == 0:
        # 10.0's words, and those of 11.1.
        theirs = done.stdout.replace(b'"nullptr"', b'"null-ptr"')
        cases.expect_equal_bytes(ours, theirs, "state")


def make_cases(found):
    return [
        cases.Case(target, functools.partial(is_read, found, target, arguments, blank))
        for target, arguments, blank in MACHINES
    ]


if __name__ == "__main__":
    cases.main(make_cases)
