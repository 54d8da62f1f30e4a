"""Libraries as the system installs them, under the labels they have upstream."""

_LIBRARY = """
cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
)
"""

_PROTOC = """
exports_files(["protoc"])

proto_lang_toolchain(
    name = "cc_toolchain",
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
    visibility = ["//visibility:public"],
)
"""

def _pkg_config(ctx, option, modules):
    if not modules:
        return []
    result = ctx.execute(["pkg-config", option] + modules)
    if result.return_code:
        fail(result.stderr)
    return [flag for flag in result.stdout.strip().split(" ") if flag]

def _system_library_impl(ctx):
    packages = {}
    for label, libraries in ctx.attr.targets.items():
        package, _, name = label.partition(":")
        links = [word for word in libraries.split(" ") if word.startswith("-l")]
        modules = [word for word in libraries.split(" ") if not word.startswith("-l")]
        packages[package] = packages.get(package, "") + _LIBRARY.format(
            name = name or package.split("/")[-1],
            defines = [
                flag[2:]
                for flag in _pkg_config(ctx, "--cflags-only-other", modules)
                if flag.startswith("-D")
            ],
            linkopts = links + _pkg_config(ctx, "--libs", modules),
        )
    if ctx.attr.protoc:
        ctx.symlink(ctx.which("protoc"), "protoc")
        packages[""] += _PROTOC
        packages["bazel"] = ""
        for rule in ["proto_library", "cc_proto_library"]:
            ctx.file("bazel/%s.bzl" % rule, "{0} = native.{0}\n".format(rule))
    for package, build in packages.items():
        ctx.file((package + "/" if package else "") + "BUILD.bazel", build)

system_library = repository_rule(
    implementation = _system_library_impl,
    attrs = {
        "targets": attr.string_dict(
            doc = "Label in the repository to pkg-config modules, and the -l that they lack.",
        ),
        "protoc": attr.bool(doc = "Whether proto_library may compile with this repository."),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
