"""The C++ of a few targets as one archive, for those who build without Bazel."""

def _cxx_archive_impl(ctx):
    merged = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps])
    objects = []
    for linker_input in merged.linking_context.linker_inputs.to_list():
        for library in linker_input.libraries:
            objects += library.pic_objects or library.objects or []
    args = ctx.actions.args()
    args.add(ctx.outputs.out)
    args.add_all(objects)
    ctx.actions.run_shell(
        command = "rm -f $1 && ar qcsD $@",
        arguments = [args],
        inputs = objects,
        outputs = [ctx.outputs.out],
        mnemonic = "CxxArchive",
        use_default_shell_env = True,
    )
    headers = [
        header
        for header in merged.compilation_context.headers.to_list()
        if not header.owner.workspace_name
    ]
    return [DefaultInfo(
        files = depset([ctx.outputs.out]),
        runfiles = ctx.runfiles(files = [ctx.outputs.out] + headers),
    )]

cxx_archive = rule(
    doc = "OUT of the objects of all that `deps` need; their headers are its runfiles.",
    implementation = _cxx_archive_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "out": attr.output(),
    },
)
