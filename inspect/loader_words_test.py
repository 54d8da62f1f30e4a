#!/usr/bin/env python3
"""`explain` knows what `check --for` foretells: each text in the loader's sources,
with something filled in for what is not in them, is a line that explain knows, or
is listed here as one that no loader says."""

import glob
import itertools
import json
import os
import re
import subprocess
import sys

# What a verdict assumes, names a section with, or says of its own limits.
NOT_SAID = [
    r"^N?(COMMAND|CONFIGURATION|LISTEN|RAM_DISCARD|ADVISE|PCIDevice|ram |machine type|xbzrle)",
    r"^(header|stream|configuration|msix|virt|xenfv|pc-|pseries|s390-ccw|/vfio|/rom@|savevm)",
    r"^capability |^send-|^target pages of|^sections end|^multifd channels that",
    r"^(N: )?(a device|a driver|ramfb|each VFIO|the same N|the stream's UUID|N other devices)",
    r"^N (section|FULL|multifd packet|N)$|^N: N$|^[N0-9. ]*$|^ with $",
    r"^a COLO migration, which never ends$|^DEV_CONFIG_LOAD_READY, which",
    r"in this model$|for this model$|most of which never come$|again and again$|^mapped-ram header",
    r"^\./@$|^; $|^RUN$|^loadvm_handle_recv_bitmap: $",
    r"^no release takes it|^version N, and the description gives N$",
]
# Capabilities and other names.
NAME = re.compile(r"^[a-z0-9._-]+$")
# Said behind something else that explain knows.
BEHIND = {
    "Input/output error": "load of migration failed: ",
    "Invalid argument": "load of migration failed: ",
    "No such file or directory": "load of migration failed: ",
    "wrong compression!": "Failed to load XBZRLE page - ",
    "len overflow!": "Failed to load XBZRLE page - ",
}
TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|\w+|\S')


def literals(tokens):
    return "".join(json.loads(token) for token in tokens if token[0] == '"')


def arguments(tokens):
    """The arguments of a call; behind its opening parenthesis. And how many tokens."""
    depth, words, all_words = 0, [], []
    for i, token in enumerate(tokens):
        if token in ")]}" and depth == 0:
            return all_words + [words], i + 1
        depth += (token in "([{") - (token in ")]}")
        if token == "," and depth == 0:
            all_words.append(words)
            words = []
        else:
            words.append(token)
    raise AssertionError("a call does not end")


def forms(words, constants):
    """What an argument of StrCat() may put there."""
    if all(word[0] == '"' for word in words):
        return [literals(words)]
    if "?" in words:
        then, otherwise = words.index("?"), words.index(":", words.index("?"))
        branches = words[then + 1 : otherwise], words[otherwise + 1 :]
        return [form for branch in branches for form in forms(branch, constants)]
    if words[:2] == ["StrCat", "("]:
        parts = [forms(part, constants) for part in arguments(words[2:])[0]]
        return ["".join(each) for each in itertools.product(*parts)]
    if words[0] == "Savevm":
        return ["", "savevm "]
    return [constants.get(words[0], "0x1f" if words[0] == "Hex" else "N")]


def texts(source):
    tokens = [t for t in TOKEN.findall(re.sub(r"^#.*", "", source, flags=re.M)) if t[:2] != "//"]
    constants = {
        tokens[i - 2]: literals(tokens[i : i + 1])
        for i in range(2, len(tokens))
        if tokens[i][0] == '"' and tokens[i - 1] == "="
    }
    i = 0
    while i < len(tokens):
        if tokens[i] == "StrCat" and tokens[i + 1] == "(":
            words, used = arguments(tokens[i + 2 :])
            parts = [forms(part, constants) for part in words]
            yield from map("".join, itertools.product(*parts))
            i += 2 + used
        elif tokens[i][0] == '"':
            end = i
            while tokens[end][0] == '"':
                end += 1
            yield literals(tokens[i:end])
            i = end
        else:
            i += 1


def is_said(text):
    return not NAME.match(text) and not any(re.search(each, text) for each in NOT_SAID)


def main(program, folder):
    said = set()
    for path in glob.glob(os.path.join(folder, "*.cc")):
        if not path.endswith("_test.cc"):
            with open(path, encoding="utf-8") as file:
                said |= {BEHIND.get(text, "") + text for text in texts(file.read()) if is_said(text)}
    assert len(said) > 60, said
    answer = subprocess.run(
        [program, "explain", "--format=json", "--", *sorted(said)], stdout=subprocess.PIPE
    )
    known = {each["text"] for each in json.loads(answer.stdout)["explained"]}
    unknown = sorted(text for text in said if text not in known)
    if unknown:
        sys.exit("explain does not know:\n  " + "\n  ".join(unknown))


main(*sys.argv[1:])
