"""A snapshot that a real QEMU's `savevm` put into a qcow2 image is read as the
stream that the same QEMU writes of it after `loadvm`."""

import functools
import json
import os
import shutil
import subprocess

from interop.peer import cases, migration, program, qemu

ARM = "/usr/bin/qemu-system-aarch64"
DISK_BYTES = 64 << 20
NAME = "before all"


def need(name):
    if not shutil.which(name):
        raise cases.Skipped("there is no %s here" % name)


def make_image(folder, *options):
    need("qemu-img")
    image = os.path.join(folder, "disk.qcow2")
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", *options, image, str(DISK_BYTES)], check=True
    )
    return image


def machine(image, devices, *more):
    drive = "file=%s,if=none,id=d0,format=qcow2" % image
    arguments = ("-drive", drive, "-device", "ide-hd,drive=d0") + more
    return qemu.Machine(devices=devices, arguments=arguments)


def save(release, image, devices, folder, names):
    with qemu.Qemu(release, machine(image, devices), folder) as vm:
        for name in names:
            said = vm.command("human-monitor-command", command_line='savevm "%s"' % name)
            cases.expect(not said.strip(), said)


def take_out(release, image, devices, folder, stream):
    """What QEMU itself makes of the snapshot, of a guest that never runs."""
    plan = migration.Plan(machine(image, devices, "-S", "-loadvm", NAME))
    with qemu.Qemu(release, plan.machine, folder) as vm:
        migration._configure(vm, plan)
        vm.command("migrate", uri="exec:cat > " + stream)
        migration._await_end(vm)


def report(*words):
    """What is alike in two streams of one state: all that does not tell how it
    was sent."""
    read = json.loads(program.must("inspect", "--format=json", *words))
    blocks = [(b["name"], b["usedBytes"]) for b in read["ram"]["blocks"]]
    others = [(d["idstr"], d.get("bytes")) for d in read["otherDevices"]]
    devices = [
        (d["idstr"], d.get("payloadBytes"), d["config"]["pci"]["ids"])
        for d in read.get("devices", [])
    ]
    return read["complete"], read["machineType"], blocks, sorted(others), devices


def reads(found, name, vfio, options, folder):
    release = cases.release(found, name)
    devices = (qemu.Device(),) if vfio else ()
    image = make_image(folder, *options)
    save(release, image, devices, folder + "/save", [NAME, "another"])
    stream = os.path.join(folder, "stream.qvm")
    take_out(release, image, devices, folder + "/load", stream)
    chosen = "--snapshot=" + NAME
    ours, theirs = report(image, chosen), report(stream)
    cases.expect(ours == theirs, ours, theirs)
    cases.expect(report(image, "--snapshot=1") == ours, "by its id it is another")
    status, output, errors = program.run("check", image, chosen)
    cases.expect(status == 0, output.decode(), errors)
    # Several are listed, and none is taken by chance.
    status, _, errors = program.run("inspect", image)
    cases.expect(status == 2 and NAME in errors and "another" in errors, errors)


def refuses_a_backing_file(found, folder):
    release = cases.release(found, "7.2")
    base = make_image(folder)
    os.rename(base, base + ".base")
    image = make_image(folder, "-b", base + ".base", "-F", "qcow2")
    save(release, image, (), folder + "/save", [NAME])
    status, _, errors = program.run("inspect", image)
    cases.expect(status == 2 and "has a backing file" in errors, errors)


def run_arm(image, commands, *more):
    done = subprocess.run(
        [ARM, "-M", "virt", "-cpu", "cortex-a53", "-m", "16", "-nodefaults"]
        + ["-display", "none", "-monitor", "stdio", "-S"]
        + ["-drive", "file=%s,if=none,id=d0,format=qcow2" % image]
        + ["-device", "virtio-blk-device,drive=d0", *more],
        input="\n".join(commands + ["quit", ""]),
        capture_output=True,
        text=True,
        timeout=qemu.LIMIT,
    )
    cases.expect(done.returncode == 0, done.stdout, done.stderr)


def reads_of_aarch64(folder):
    need(ARM)
    image = make_image(folder)
    stream = os.path.join(folder, "stream.qvm")
    run_arm(image, ['savevm "%s"' % NAME])
    run_arm(image, ['migrate "exec:cat > %s"' % stream], "-loadvm", NAME)
    ours, theirs = report(image), report(stream)
    cases.expect(ours == theirs, ours, theirs)


def make_cases(found):
    made = [
        cases.Case("aarch64", reads_of_aarch64),
        cases.Case(
            "a backing file is refused", functools.partial(refuses_a_backing_file, found)
        ),
    ]
    kinds = {
        "v2": ("-o", "compat=0.10"),
        "v3": (),
        "extended L2": ("-o", "extended_l2=on,cluster_size=128k"),
    }
    for name, vfio in (("7.2", False), ("11.1", False), ("11.1", True)):
        for kind, options in kinds.items():
            made.append(
                cases.Case(
                    "%s, %s%s" % (name, kind, ", with a VFIO device" if vfio else ""),
                    functools.partial(reads, found, name, vfio, options),
                )
            )
    return made


if __name__ == "__main__":
    cases.main(make_cases)
