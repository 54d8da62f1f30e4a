"""What this machine has of QEMU, or of Linux, as a list for //interop."""

def _releases_impl(ctx):
    result = ctx.execute(["sh", ctx.path(ctx.attr.finder)])
    if result.return_code:
        fail(result.stderr)
    ctx.file("releases.txt", result.stdout)
    ctx.file("BUILD.bazel", """exports_files(["releases.txt"])\n""")

releases = repository_rule(
    doc = "Looks again when Bazel's server starts, or by `bazel sync --only=NAME`.",
    implementation = _releases_impl,
    attrs = {"finder": attr.label(allow_single_file = True)},
    environ = ["HOME", "MIGSTREAM_LINUX", "MIGSTREAM_QEMU", "XDG_CACHE_HOME"],
    local = True,
)
