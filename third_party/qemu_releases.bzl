"""Which QEMU releases this machine has, as a list for //interop."""

def _qemu_releases_impl(ctx):
    result = ctx.execute(["sh", ctx.path(ctx.attr.finder)])
    if result.return_code:
        fail(result.stderr)
    ctx.file("releases.txt", result.stdout)
    ctx.file("BUILD.bazel", """exports_files(["releases.txt"])\n""")

qemu_releases = repository_rule(
    doc = "Looks again when Bazel's server starts, or by `bazel sync --only=qemu`.",
    implementation = _qemu_releases_impl,
    attrs = {"finder": attr.label(allow_single_file = True)},
    environ = ["HOME", "MIGSTREAM_QEMU", "XDG_CACHE_HOME"],
    local = True,
)
