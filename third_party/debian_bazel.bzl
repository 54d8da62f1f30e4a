"""Stand-ins for what Bazel would download before it builds any C++."""

def _native_rules_impl(ctx):
    ctx.file(ctx.attr.language + "/BUILD.bazel")
    ctx.file(
        ctx.attr.language + "/defs.bzl",
        "".join(["{0} = native.{0}\n".format(rule) for rule in ctx.attr.rules]),
    )

_native_rules = repository_rule(
    implementation = _native_rules_impl,
    attrs = {
        "language": attr.string(),
        "rules": attr.string_list(),
    },
)

def debian_bazel():
    """Lets Debian's Bazel work from Debian packages alone.

    It is known by having no version. Its rules are still built in, and the
    repositories that its own tools load them from need only name them.
    """
    if native.bazel_version:
        return
    for language in ["cc", "java"]:
        _native_rules(
            name = "rules_" + language,
            language = language,
            rules = [rule for rule in dir(native) if rule.startswith(language + "_")],
        )
    native.new_local_repository(
        name = "remote_coverage_tools",
        build_file = "//third_party/coverage:BUILD.bazel",
        path = "third_party/coverage",
    )
