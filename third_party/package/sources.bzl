"""The lists of sources.cmake, asked of Bazel."""

load("//codec:public_deps.bzl", "VMM_TARGETS")

_C = ["//codec/c:libmigstream.so.1"]
_INSPECT_C = ["//codec/c:libmigstream-inspect.so.1"]
_PROGRAM = ["//inspect:migstream"]

def _of(attribute, targets, kind = "cc_"):
    return "filter('^//', labels(%s, kind('^%s', deps(set(%s)))))" % (attribute, kind, " ".join(targets))

def _in(folder, files):
    return "filter('^//%s[:/]', %s)" % (folder, files)

def _not_in(folders, files):
    return files + "".join([" - " + _in(folder, files) for folder in folders])

# What is compiled with an option of its own.
def _with(option):
    return "filter('^//', labels(srcs, attr(copts, '%s', deps(set(%s)))))" % (option, " ".join(_C))

_CXX = _of("srcs", VMM_TARGETS)

# A list, what is in it, and which targets the question is about.
_LISTS = {
    "MIGSTREAM_CXX_SOURCES": (_CXX, VMM_TARGETS),
    "MIGSTREAM_CXX_HEADERS": (_of("hdrs", VMM_TARGETS), VMM_TARGETS),
    "MIGSTREAM_C_SOURCES": (_of("srcs", _C) + " - (%s)" % _CXX, VMM_TARGETS + _C),
    "MIGSTREAM_SMALL_SOURCES": (_with("-Os"), _C),
    "MIGSTREAM_SCALAR_SOURCES": (_with("-fno-tree-slp-vectorize"), _C),
    "MIGSTREAM_STREAM_SOURCES": (
        _not_in(["codec/c", "inspect"], _of("srcs", _PROGRAM + _INSPECT_C)) + " - (%s)" % _CXX,
        VMM_TARGETS + _INSPECT_C + _PROGRAM,
    ),
    "MIGSTREAM_INSPECT_C_SOURCES": (_in("codec/c", _of("srcs", _INSPECT_C)), _INSPECT_C),
    "MIGSTREAM_PROTOS": (
        _of("srcs", _PROGRAM + _INSPECT_C, "proto_library"),
        _INSPECT_C + _PROGRAM,
    ),
    "MIGSTREAM_PROGRAM_SOURCES": (_in("inspect", _of("srcs", _PROGRAM)), _PROGRAM),
}

def sources(name, out):
    """Makes OUT of the answers.

    Args:
      name: of the rule.
      out: "sources.cmake.new".
    """
    for variable, (expression, scope) in _LISTS.items():
        native.genquery(name = variable, expression = expression, scope = scope)
    native.genrule(
        name = name,
        srcs = _LISTS.keys(),
        outs = [out],
        cmd = "$(location print_sources.sh) $(SRCS) >$@",
        tools = ["print_sources.sh"],
    )
