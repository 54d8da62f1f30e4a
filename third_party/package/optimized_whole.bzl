"""A library as it is installed: with -c opt, optimized across its files."""

_MODE = "//command_line_option:compilation_mode"
_COPT = "//command_line_option:copt"
_LINKOPT = "//command_line_option:linkopt"

def _transition_impl(settings, _):
    flags = ["-flto=auto"] if str(settings[_MODE]) == "opt" else []
    return {
        _COPT: settings[_COPT] + flags,
        _LINKOPT: settings[_LINKOPT] + flags,
    }

_transition = transition(
    implementation = _transition_impl,
    inputs = [_MODE, _COPT, _LINKOPT],
    outputs = [_COPT, _LINKOPT],
)

def _optimized_whole_impl(ctx):
    return [DefaultInfo(
        files = depset(ctx.files.library),
        runfiles = ctx.runfiles(files = ctx.files.library),
    )]

optimized_whole = rule(
    doc = "The shared library `library`, a quarter smaller. Its files are compiled once more for it.",
    implementation = _optimized_whole_impl,
    attrs = {
        "library": attr.label(cfg = _transition),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
