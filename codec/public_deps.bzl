"""Which libraries of others each public target brings along."""

_ABSL = ["com_google_absl"]
_STREAM = _ABSL + ["com_github_tencent_rapidjson"]
_PAGES = _STREAM + ["zlib", "zstd"]
_REPORT = _STREAM + ["com_google_protobuf"]

# A target, and all the repositories that it needs.
_PUBLIC = {
    "//codec/channels:channel_reader": [],
    "//codec/destination:dump": ["com_github_tencent_rapidjson"],
    "//codec/destination:stream_check": ["com_github_tencent_rapidjson"],
    "//codec/device:config": [],
    "//codec/device:config_shape": [],
    "//codec/device:section": [],
    "//codec/diff:diff": _PAGES,
    "//codec/extract:payload_extractor": _STREAM,
    "//codec/extract:ram_extractor": _ABSL + ["zlib", "zstd"],
    "//codec/generate:generator": _REPORT,
    "//codec/io:open_stream": _ABSL + ["bzip2", "xz", "zlib", "zstd"],
    "//codec/loader:loader": _STREAM + ["zlib"],
    "//codec/model:generic": [],
    "//codec/model:json": ["com_github_tencent_rapidjson"],
    "//codec/model:lint": [],
    "//codec/model:model": [],
    "//codec/multifd:channel_receiver": [],
    "//codec/multifd:multifd": [],
    "//codec/multifd:packet_distributor": [],
    "//codec/payload:decoder": [],
    "//codec/qemu:limits": [],
    "//codec/qemu:return_path": [],
    "//codec/qemu:stream_decoder": [],
    "//codec/qemu:stream_encoder": [],
    "//codec/qemu:stream_event": [],
    "//codec/qemu:stream_reader": _STREAM,
    "//codec/qemu:stream_writer": _STREAM,
    "//codec/report:report": _REPORT + ["zlib"],
    "//codec/rewrite:rewrite": _PAGES,
    "//codec/session:device": [],
    "//codec/session:device_state": [],
    "//codec/session:session": [],
    "//codec/survey:survey": _STREAM,
    "//codec/wire:finding": [],
    "//codec/wire:wire": [],
    "//flags:dialect": [],
    "//flags:vocabulary": [],
}

# What reads files is for tools: no VMM needs it.
_FILES = ["//codec/channels:channel_reader"]

# What a VMM links: it stands on the standard library alone.
VMM_TARGETS = [
    target
    for target, needs in _PUBLIC.items()
    if not needs and target not in _FILES
]

# Repositories of Bazel itself, and of compilers.
_TOOLS = "@(bazel_tools|local_config|platforms|rules_)"

def public_deps_test(name):
    """A test that the table above is true.

    Args:
      name: of the test.
    """
    args = []
    queries = []
    for i, (target, repositories) in enumerate(_PUBLIC.items()):
        query = "%s_%d" % (name, i)
        native.genquery(
            name = query,
            expression = "filter('^@', deps(%s)) - filter('^%s', deps(%s))" %
                         (target, _TOOLS, target),
            scope = [target],
        )
        queries.append(query)
        args += [target, ",".join(sorted(repositories)) or "none", "$(location %s)" % query]
    native.sh_test(
        name = name,
        size = "small",
        srcs = ["public_deps_test.sh"],
        args = args,
        data = queries,
    )
