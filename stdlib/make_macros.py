#!/usr/bin/env python3
"""The macros of the .bt files → rows of C++ for registry.cpp: name, signature and description from the comment above a macro,
parameters and body of each of its forms. Bodies stay text; a script's compilation parses those that it uses."""

import argparse
import pathlib
import re
import sys

DELIMITER = "bt"
HEAD = re.compile(r"macro (\w+)\(([^)]*)\) ")


def quoted(text: str) -> str:
    if f"){DELIMITER}\"" in text:
        raise ValueError("the end of a raw string literal")
    return f'R"{DELIMITER}({text}){DELIMITER}"'


def macros(path: pathlib.Path) -> list[dict]:
    """{name, signature, doc, forms: [(parameters, body)]} in the order of the file."""
    found: list[dict] = []
    comment: list[str] = []
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("/// "):
            comment.append(line[4:])
        elif head := HEAD.match(line):
            body = line[head.end():]
            while not body.endswith("}") or (body.count("\n") and not body.endswith("\n}")) or body == "{":
                body += "\n" + lines[at]
                at += 1
            form = ([name.strip() for name in head[2].split(",") if name.strip()], body)
            if comment:
                found.append({"name": head[1], "signature": comment[0], "doc": " ".join(comment[1:]), "forms": [form]})
            elif found and found[-1]["name"] == head[1]:
                found[-1]["forms"].append(form)
            else:
                raise ValueError(f"{path.name}:{at}: `{head[1]}` has no signature above it")
            comment = []
        elif line and not line.startswith("//"):
            raise ValueError(f"{path.name}:{at}: neither a comment nor a macro")
    return found


def row(macro: dict) -> str:
    forms = []
    for params, body in macro["forms"]:
        names = ", ".join(f'"{name}"' for name in params)
        forms.append(f"{{{{{names}}}, {quoted(body)}}}")
    return f'{{"{macro["name"]}", {quoted(macro["signature"])}, {quoted(macro["doc"])}, {{{", ".join(forms)}}}}},'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("sources", type=pathlib.Path, nargs="+")
    given = parser.parse_args()
    try:
        rows = [row(macro) for source in given.sources for macro in macros(source)]
    except (ValueError, IndexError) as error:
        print(f"make_macros.py: {error}", file=sys.stderr)
        return 1
    given.output.write_text("\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
