#!/usr/bin/env python3
"""Makes the manual page: the template with the version, the rows of `kawk --help` and those of `kawk --list-functions`."""

import argparse
import pathlib
import re
import subprocess


def escape(text: str) -> str:
    """Text for roff: backslashes, dashes that are meant as such, and no request at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def rows(help_text: str) -> list[tuple[str, str]]:
    """(flag, meaning) of each row: `  -f FORM   meaning`; lines indented further continue the meaning."""
    found: list[tuple[str, str]] = []
    for line in help_text.splitlines():
        if row := re.match(r" {1,10}(-{1,2}\w.*?)(?: {2,}(\S.*))?$", line):
            found.append((row[1], row[2] or ""))
        elif found and re.match(r" {8,}\S", line):
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}".strip())
        elif line.strip() and not line.startswith(" ") and found:
            break  # the next section of the help
    return found


def options(kawk: pathlib.Path) -> str:
    shown = subprocess.run([kawk, "--help"], capture_output=True, text=True, check=False)
    found = rows(shown.stdout or shown.stderr)
    if not found:
        return "See\n.BR \"kawk \\-\\-help\" ."
    return "\n".join(f".TP\n.B {escape(flag)}\n{escape(meaning)}" for flag, meaning in found)


def library(kawk: pathlib.Path) -> str:
    """A section for each of `kawk --list-functions`: a heading, rows indented by four, their descriptions by eight."""
    shown = subprocess.run([kawk, "--list-functions"], capture_output=True, text=True, check=True)
    page: list[str] = []
    for line in shown.stdout.splitlines():
        if line.startswith(" " * 8):
            page.append(escape(line.strip()))
        elif line.startswith(" " * 4):
            page += [".TP", f".B {escape(line.strip())}"]
        elif line:
            name, _, note = line.partition(" ")
            page.append(f".SH {name}")
            if note:
                page.append(escape(note.strip("()")) + ".")
    return "\n".join(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kawk", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path)
    given = parser.parse_args()
    text = given.template.read_text().replace("@VERSION@", given.version)
    text = text.replace("@OPTIONS@", options(given.kawk)).replace("@LIBRARY@", library(given.kawk))
    given.page.write_text(text)


if __name__ == "__main__":
    main()
