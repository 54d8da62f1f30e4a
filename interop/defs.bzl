"""Programs in Python, which every system has, with a real QEMU at hand."""

_DATA = [
    "//inspect:migstream",
    "//interop:libvfioshim.so",
    "//interop:peer",
    "@qemu//:releases.txt",
]

def interop_test(name, data = [], **kwargs):
    """A test by a real QEMU: NAME.py.

    QEMU's shim has no room for a sanitizer.
    """
    native.sh_test(
        name = name,
        srcs = ["run_python.sh"],
        args = ["interop/%s.py" % name],
        data = _DATA + [name + ".py"] + data,
        tags = ["interop", "uninstrumented"],
        **kwargs
    )

def interop_binary(name, data = [], **kwargs):
    """A command, NAME.py: `bazel run //interop:NAME`."""
    native.sh_binary(
        name = name,
        srcs = ["run_python.sh"],
        args = ["interop/%s.py" % name],
        data = _DATA + [name + ".py"] + data,
        **kwargs
    )
