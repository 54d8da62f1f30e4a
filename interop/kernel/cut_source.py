"""Cuts definitions out of a C source: functions, structs, enums and macros, by name.

So a driver's code can be compiled without the headers of its kernel. What is cut out is the
source's own text, for the use of a test; it is kept nowhere.
"""

import re


def matching(text, at, opening, closing):
    """Where what opens at `at` has been closed."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == opening) - (text[i] == closing)
        if depth == 0:
            return i + 1
    return len(text)


def function(text, name):
    for found in re.finditer(r"\b%s\(" % re.escape(name), text):
        end = matching(text, found.end() - 1, "(", ")")
        if not re.match(r"\s*\n\{", text[end:]):
            continue
        # Its type may stand on lines before.
        start = text.rfind("\n", 0, found.start()) + 1
        while start:
            line = text[text.rfind("\n", 0, start - 1) + 1 : start - 1]
            if not line or line[-1] in "}/;\\" or line.startswith((" *", "#")):
                break
            start -= len(line) + 1
        return text[start : matching(text, text.index("{", end), "{", "}")]
    return None


def definition(text, name):
    """The text that defines `name`, or None."""
    macro = re.search(r"(?m)^#define[ \t]+%s\b(?:.*\\\n)*.*$" % re.escape(name), text)
    if macro:
        return macro.group()
    found = re.search(r"(?m)^(?:struct|enum) %s \{" % re.escape(name), text)
    if found:
        end = matching(text, found.end() - 1, "{", "}")
        return text[found.start() : text.index(";", end) + 1]
    return function(text, name)


def cut(path, names):
    """What of the file defines them; without names, all of it but its #include lines."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not names:
        return re.sub(r"(?m)^#include.*$", "", text)
    return "".join(definition(text, name) + "\n\n" for name in names)
