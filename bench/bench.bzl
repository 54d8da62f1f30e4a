"""A benchmark: the program, and a test that runs all of it once."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def benchmark(name, deps):
    """Makes :NAME of NAME.cc, and :NAME_test.

    Args:
      name: of the program; bazel run --config=bench //bench:NAME
      deps: beside measure.h and Google Benchmark.
    """
    cc_library(
        name = name + "_lib",
        testonly = True,
        srcs = [name + ".cc"],
        alwayslink = True,
        deps = deps + [":measure"],
    )
    cc_binary(
        name = name,
        testonly = True,
        deps = [":main", ":" + name + "_lib"],
    )
    cc_test(
        name = name + "_test",
        size = "small",
        args = ["--once"],
        deps = [":main", ":" + name + "_lib"],
    )
