"""A real kernel's VFIO driver, mtty, says to each payload what the library foretells.

The kernel runs in a guest without KVM; its devices need no hardware.
"""

import json
import os
import subprocess
import sys

from interop.kernel import linux, payloads
from interop.peer import cases

MUTANTS = 300
GUEST = os.path.abspath("interop/kernel/guest.sh")
PEER = os.path.abspath("interop/kernel/mtty_peer.py")


def is_foretold(says, told):
    """Of several reasons the kernel says the one that its writes meet first."""
    if told.fate != "refused":
        return says == "accept"
    return says == "%s %s" % (told.when, told.errno) or says in told.reasons


def is_as_foretold(folder):
    _, guest = linux.folder("guest", "fetch_guest.sh")
    given = list(payloads.mutants(list(payloads.samples("mtty")), MUTANTS, "mtty"))
    with open(os.path.join(folder, "payloads"), "w", encoding="utf-8") as file:
        json.dump([[p.data.hex(), p.pre_copy] for p in given], file)
    with open(PEER, encoding="utf-8") as program:
        with open(os.path.join(folder, "peer.py"), "w", encoding="utf-8") as copy:
            copy.write(program.read())
    python = os.path.realpath(sys.executable)
    command = [GUEST, guest, folder, python, "-B", "/mnt/peer.py", "/mnt/payloads", "/mnt/answers"]
    log = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = log.stdout.decode(errors="replace")
    cases.expect(log.returncode == 0, "the guest ended with", log.returncode, said[-2000:])
    with open(os.path.join(folder, "answers"), encoding="utf-8") as file:
        answers = json.load(file)
    wrong = [
        "%s, %d bytes: the kernel: %s; but foretold: %s" % (p.name, len(p.data), says, told.text)
        for p, says, told in zip(given, answers, payloads.judge(given))
        if not is_foretold(says, told)
    ]
    print("mtty: %d payloads, %d taken" % (len(given), answers.count("accept")))
    cases.expect(not wrong, "\n  ".join(["%d contradictions:" % len(wrong), *wrong[:20]]))


if __name__ == "__main__":
    cases.main(lambda _: [cases.Case("a real mtty device", is_as_foretold)])
