"""Two VMMs that use this library, in two processes, whose devices keep strictly to the
kernel's rules: whatever fails, and whoever is killed at any point, the devices run on
one side, or it is said that nobody knows."""

import errno
import functools
import os

from interop.peer import cases, live, releases

CELL = live.Cell("", bytes=3000000)
RUNS = live.sections(CELL)[0] + ": RUNNING"
POINTS = 12
ERRNOS = ("EINTR", "EAGAIN", "EIO", "ENODEV", "EBUSY", "EFAULT", "ENOMEM", "ENOSPC", "EINVAL")


def migrate(folder, save_shim=(), load_shim=(), save_options="", load_options=""):
    """What each side said of how it ended; nothing if it was killed."""
    path, known = os.path.join(folder, "s"), os.path.join(folder, "lengths")
    with open(known, "wb"):
        pass  # There are no devices but those of the set.
    device = live.device_arguments(CELL)
    options = "return-path,switchover-ack"
    load = ["live_load", path, "V111", "0", options + load_options, known, *device]
    save = ["live_save", path, "pc-q35-11.1", "V111", "0", options + save_options, *device]
    given, taken = os.path.join(folder, "source"), os.path.join(folder, "destination")
    with live.library(taken, CELL, load, settings=dict(load_shim)) as loader:
        if loader.stdout.readline() != b"listening\n":
            return {}, live.facts(loader)
        with live.library(given, CELL, save, settings=dict(save_shim)) as saver:
            return live.facts(saver), live.facts(loader)


def expect_one_guest(folder, saved, loaded):
    """Nothing was said that would have the guest run twice, or be lost in silence."""
    source, destination = (said.get("outcome", ["killed"])[0] for said in (saved, loaded))
    if "completed" == destination:
        cases.expect(loaded["device"] == [RUNS], loaded)
        cases.expect(source in ("completed", "unknown", "killed"), saved, loaded)
        live.expect_same_bytes(CELL, *(os.path.join(folder, e) for e in ("source", "destination")))
    elif destination == "aborted":
        cases.expect(loaded["device"][0].startswith(RUNS), loaded)
    if source == "aborted":
        cases.expect(saved["device"][0].startswith(RUNS), saved)
    elif source in ("completed", "unknown"):
        cases.expect(": STOP" in saved["device"][0], saved)
    cases.expect((source, destination) != ("completed", "aborted"), saved, loaded)
    return source, destination


def completes(save_shim, load_shim, folder):
    ended = expect_one_guest(folder, *migrate(folder, save_shim, load_shim))
    cases.expect(ended == ("completed", "completed"), ended)


def other_data_are_refused(folder):
    saved, loaded = migrate(folder, load_shim={"SEED": 9})
    ended = expect_one_guest(folder, saved, loaded)
    cases.expect(ended == ("aborted", "aborted"), saved, loaded)


def source_is_killed(folder):
    for point in range(1, POINTS + 1):
        place = os.path.join(folder, str(point))
        os.mkdir(place)
        saved, loaded = migrate(place, save_options=",die=%d" % point)
        cases.expect("outcome" not in saved, "it lived", saved)
        ended = expect_one_guest(place, saved, loaded)
        cases.expect(ended == ("killed", "aborted"), point, loaded)


def destination_is_killed(folder):
    killed = 0
    for point in range(1, POINTS + 1):
        place = os.path.join(folder, str(point))
        os.mkdir(place)
        saved, loaded = migrate(place, load_options=",die=%d" % point)
        source, _ = expect_one_guest(place, saved, loaded)
        if "outcome" not in loaded:
            killed += 1
            cases.expect(source in ("aborted", "unknown"), point, saved)
    cases.expect(killed >= POINTS - 3, "it was killed", killed, "times")


def a_reset_is_found(folder):
    found = 0
    for call in range(2, 12):
        place = os.path.join(folder, str(call))
        os.mkdir(place)
        saved, loaded = migrate(place, save_shim={"RESET_AT": call})
        source, _ = expect_one_guest(place, saved, loaded)
        found += source == "aborted" and "was reset while" in saved.get("error", [""])[0]
    cases.expect(found > 0, "no reset was found")


def calls_fail(side, folder):
    for number, name in enumerate(ERRNOS):
        call = 2 + number
        for state in ("", ":error"):
            place = os.path.join(folder, name + state)
            os.mkdir(place)
            fault = {"FAIL": "%d:%d%s" % (call, getattr(errno, name), state)}
            expect_one_guest(place, *migrate(place, **{side + "_shim": fault}))


def make_cases(_):
    def case(name, run, *arguments):
        return cases.Case(name, functools.partial(run, *arguments))

    assert os.path.exists(releases.SHIM)
    short = {"SHORT": 70001}
    return [
        case("all is well", completes, {}, {}),
        case("interrupted reads and writes", completes, {"EINTR": 7}, {"EINTR": 7}),
        case("short reads and writes", completes, short, short),
        case("nothing to read is a read of nothing", completes, {"EMPTY": 0}, {}),
        case("new initial data", completes, {"REINIT": 2}, {}),
        case("the source is killed", source_is_killed),
        case("the destination is killed", destination_is_killed),
        case("the guest resets the device", a_reset_is_found),
        case("calls of the source fail", calls_fail, "save"),
        case("calls of the destination fail", calls_fail, "load"),
        case("a device's data for another one", other_data_are_refused),
    ]


if __name__ == "__main__":
    cases.main(make_cases)
