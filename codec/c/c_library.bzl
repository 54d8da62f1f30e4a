"""A library with a C interface, shared and static, of which only that is seen."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")

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
    args.add_all(ctx.attr.symbols)
    args.add("--")
    args.add_all(ctx.attr.wrapped)
    args.add("--")
    args.add_all(whole)
    args.add("--")
    args.add_all(others)
    ctx.actions.run(
        executable = ctx.executable._script,
        arguments = [args],
        inputs = whole + others,
        tools = [ctx.executable._script, ctx.file._plain_symbols],
        outputs = [ctx.outputs.out],
        mnemonic = "StaticLibrary",
        use_default_shell_env = True,
    )

_static_library = rule(
    implementation = _static_library_impl,
    attrs = {
        "dep": attr.label(providers = [CcInfo]),
        "out": attr.output(),
        "symbols": attr.string_list(),
        "wrapped": attr.string_list(),
        "_plain_symbols": attr.label(
            default = "//codec/c:plain_symbols.py",
            allow_single_file = True,
        ),
        "_script": attr.label(
            default = "//codec/c:static_library.sh",
            allow_single_file = True,
            executable = True,
            cfg = "exec",
        ),
    },
)

def c_library(name, headers, symbols, version_script, deps, wrapped = []):
    """Makes NAME.so.1 and NAME.a, and :NAME_c, by which a test links the former.

    Args:
      name: "libmigstream".
      headers: of its interface.
      symbols: patterns of what is seen of NAME.a.
      version_script: the same for NAME.so.1.
      deps: its code; what defines the interface is alwayslink.
      wrapped: functions f of others in whose place it has a __wrap_f.
    """
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
            # Its tables have a thousand pointers, of 24 bytes each otherwise.
            "-Wl,-z,pack-relative-relocs",
            # gold shows thread-local variables that are hidden.
            "-fuse-ld=bfd",
        ] + ["-Wl,--wrap=" + function for function in wrapped],
        linkshared = True,
        visibility = ["//:__subpackages__"],
        deps = [name + "_all"],
    )
    _static_library(
        name = name + "_static",
        dep = name + "_all",
        out = name + ".a",
        symbols = symbols,
        visibility = ["//:__subpackages__"],
        wrapped = wrapped,
    )
    cc_library(
        name = name + "_c",
        srcs = [name + ".so.1"],
        hdrs = headers,
        includes = ["."],
        visibility = ["//:__subpackages__"],
    )
