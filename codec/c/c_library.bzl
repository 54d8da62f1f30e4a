"""A library with a C interface, shared and static, of which only that is seen."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")

# What allocates by these comes to the caller's allocator: see memory.h.
_WRAPPED = [
    "malloc",
    "realloc",
    "free",
]

def _static_library_impl(ctx):
    whole = []
    others = []
    for linker_input in ctx.attr.dep[CcInfo].linking_context.linker_inputs.to_list():
        for library in linker_input.libraries:
            archive = library.pic_static_library or library.static_library
            if archive:
                (whole if library.alwayslink else others).append(archive)
    args = ctx.actions.args()
    args.add(ctx.outputs.out)
    args.add_all(_WRAPPED)
    args.add("--")
    args.add_all(whole)
    args.add("--")
    args.add_all(others)
    ctx.actions.run(
        executable = ctx.executable._script,
        arguments = [args],
        inputs = whole + others,
        outputs = [ctx.outputs.out],
        mnemonic = "StaticLibrary",
        use_default_shell_env = True,
    )

_static_library = rule(
    implementation = _static_library_impl,
    attrs = {
        "dep": attr.label(providers = [CcInfo]),
        "out": attr.output(),
        "_script": attr.label(
            default = "//codec/c:static_library.sh",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
    },
)

def c_library(name, header, version_script, deps):
    """Makes NAME.so.1 and NAME.a, and :NAME_c, by which a test links the former.

    Args:
      name: "libmigstream".
      header: of its interface.
      version_script: what it exports.
      deps: its code; what defines the interface is alwayslink.
    """
    native.exports_files([header])
    cc_library(
        name = name + "_all",
        deps = deps,
    )
    cc_binary(
        name = name + ".so.1",
        additional_linker_inputs = [version_script],
        features = ["-supports_start_end_lib"],  # Which is gold's.
        linkopts = [
            "-Wl,--version-script=$(location %s)" % version_script,
            "-Wl,-soname,%s.so.1" % name,
            "-Wl,--gc-sections",
            "-Wl,--as-needed",
            # gold shows thread-local variables that are hidden.
            "-fuse-ld=bfd",
        ] + ["-Wl,--wrap=" + function for function in _WRAPPED],
        linkshared = True,
        visibility = ["//:__subpackages__"],
        deps = [name + "_all"],
    )
    _static_library(
        name = name + "_static",
        dep = name + "_all",
        out = name + ".a",
        visibility = ["//:__subpackages__"],
    )
    cc_library(
        name = name + "_c",
        srcs = [name + ".so.1"],
        hdrs = [header],
        visibility = ["//:__subpackages__"],
    )
