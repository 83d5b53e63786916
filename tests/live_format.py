"""The format of tests/live/*.test: `key: value` lines and indented blocks; `test:` begins the next test. See live/README.md."""

import dataclasses
import pathlib
import re

# Keys with one value, keys that may come several times, and keys whose value is an indented block.
SINGLE = {"test", "file", "args", "params", "command", "boot", "process", "end", "after", "exit", "timeout"}
REPEATED = {"needs", "env", "trigger", "times", "sum"}
BLOCKS = {"script", "beside", "stdin", "stdout", "contains", "absent", "stderr", "json"}
# Blocks that may come several times; each is looked for on its own.
REPEATED_BLOCKS = {"beside", "contains", "json"}


class FormatError(Exception):
    """A test file that cannot be read, with its place."""


@dataclasses.dataclass
class LiveTest:
    """One test as written; texts still hold ${NAME}."""

    source: str  # file:line, for messages
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    lists: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    blocks: dict[str, list[list[str]]] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.values["test"]

    def value(self, key: str, default: str = "") -> str:
        return self.values.get(key, default)

    def entries(self, key: str) -> list[str]:
        return self.lists.get(key, [])

    def block(self, key: str) -> list[str] | None:
        return self.blocks[key][0] if key in self.blocks else None

    def needs(self) -> list[str]:
        return [need.strip() for line in self.entries("needs") for need in line.split(",")]


def _dedent(lines: list[str]) -> list[str]:
    """The lines of a block without their common two spaces, and without blank lines at its end."""
    lines = [line[2:] for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _add(test: LiveTest, key: str, value: str, block: list[str], place: str) -> None:
    """Puts one entry into its test."""
    if key in BLOCKS:
        lines = _dedent(block) if block else [value]
        if key in test.blocks and key not in REPEATED_BLOCKS:
            raise FormatError(f"{place}: `{key}` twice")
        test.blocks.setdefault(key, []).append(lines)
        return
    if block:
        raise FormatError(f"{place}: `{key}` takes one line")
    if key in REPEATED:
        test.lists.setdefault(key, []).append(value)
    elif key in SINGLE:
        if key in test.values:
            raise FormatError(f"{place}: `{key}` twice")
        test.values[key] = value
    else:
        raise FormatError(f"{place}: unknown key `{key}`")


def parse(path: pathlib.Path) -> list[LiveTest]:
    """All tests of one file."""
    tests: list[LiveTest] = []
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        line, place = lines[at], f"{path.name}:{at + 1}"
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        entry = re.fullmatch(r"([a-z]+):\s*(.*)", line)
        if not entry:
            raise FormatError(f"{place}: expected `key: value`, found `{line}`")
        block = []
        while at < len(lines) and (lines[at].startswith("  ") or not lines[at].strip()):
            block.append(lines[at])
            at += 1
        if not any(text.strip() for text in block):
            block = []
        if entry[1] == "test":
            tests.append(LiveTest(place))
        elif not tests:
            raise FormatError(f"{place}: `{entry[1]}` before the first `test:`")
        _add(tests[-1], entry[1], entry[2], block, place)
    return tests


def matches(pattern: str, line: str) -> bool:
    """A pattern line against an output line: `~ regex` must match in full, anything else is the line itself."""
    if pattern.startswith("~ "):
        return re.fullmatch(pattern[2:], line) is not None
    return pattern.rstrip() == line.rstrip()
