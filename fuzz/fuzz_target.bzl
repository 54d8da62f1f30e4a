"""Fuzz targets: functions of any bytes that state a property."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def fuzz_target(name, deps = [], **kwargs):
    """A test that replays a corpus; under --config=fuzz it can also extend it.

    Args:
      name: Name of the target. Its source is NAME.cc, its corpus is in
        corpus/NAME.
      deps: As for cc_test.
      **kwargs: As for cc_test.
    """
    corpus = "corpus/" + name
    cc_test(
        name = name,
        size = "small",
        srcs = [name + ".cc"],
        args = ["-runs=0", native.package_name() + "/" + corpus],
        data = native.glob([corpus + "/**"]),
        linkopts = select({
            "//fuzz:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = [":fuzzing"] + deps + select({
            "//fuzz:libfuzzer": [],
            "//fuzz:other_engine": [],
            "//conditions:default": [":replay"],
        }),
        **kwargs
    )
