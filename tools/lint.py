"""The lint checks: each is a function that returns complaints, and counts as one test. Exceptions stand, with their reasons,
in tools/lint.allow. `./dev lint` runs them all."""

import ast
import pathlib
import py_compile
import re
import shutil
import subprocess
import tempfile

import tidy
from harness import FAILED, PASSED, SKIPPED, Outcome

SOURCE_FOLDERS = ["ast", "base", "bench", "cache", "cli", "cmake", "codegen", "host", "lexer", "parser", "runtime", "stdlib",
                  "tests"]
CODE = {".cpp", ".h", ".c"}
MAX_FILE = 600
MAX_FUNCTION = 100

# What must not be in the tree: pattern, where, why. The brackets keep these lines from matching themselves.
FORBIDDEN = [
    (r"(^|[^a-z])/(wo[r]k|fa[r]m)/", r".*", "a path of one machine"),
    (r"deb[.]debian[.]o[r]g|registry[.]npm[j]s|pypi[.]o[r]g|proxy[.]golang[.]o[r]g", r".*", "the host of a registry"),
    (r"std::any\b|#include <any>", r".*\.(cpp|h)", "compares functions by address, which --icf=all may fold"),
    (r'#include "\.\./', r".*\.(cpp|h|c)", "includes start at the root of the tree"),
    (r"#include <bits/", r".*\.(cpp|h|c)", "a private header of libstdc++"),
    (r"\busing namespace\b", r"(?!tests/).*\.(cpp|h)", "names come in one by one"),
    (r'[=!]= "[^"]+"|"[^"]+" [=!]=', r"(ast/passes|codegen)/.*\.(cpp|h)", "dispatch on a string: names become ids once"),
    (r"\bTODO\b|\bFIXME\b", r".*\.(cpp|h|py|c)", "open ends belong into an issue"),
]


class Tree:
    """The files of the source tree, and the exceptions."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.files = sorted(path for path in root.rglob("*") if self._is_source(path))
        self.allowed = self._read_allowed(root / "tools" / "lint.allow")

    def _is_source(self, path: pathlib.Path) -> bool:
        parts = path.relative_to(self.root).parts
        hidden = any(part.startswith(".") and part not in (".ci", ".clang-tidy", ".clang-format") for part in parts)
        built = parts[0].startswith("build") or "__pycache__" in parts or parts[:2] == ("bench", "results")
        return path.is_file() and not hidden and not built and parts != ("LICENSE",)

    @staticmethod
    def _read_allowed(path: pathlib.Path) -> set[tuple[str, str]]:
        allowed = set()
        for line in path.read_text().splitlines():
            entry, _, reason = line.partition("#")
            if entry.strip():
                if not reason.strip():
                    raise ValueError(f"{path.name}: `{entry.strip()}` has no reason")
                check, what = entry.split(None, 1)
                allowed.add((check, what.strip()))
        return allowed

    def name(self, path: pathlib.Path) -> str:
        return str(path.relative_to(self.root))

    def code(self) -> list[pathlib.Path]:
        folders = set(SOURCE_FOLDERS)
        return [path for path in self.files if path.suffix in CODE and path.relative_to(self.root).parts[0] in folders]

    def is_allowed(self, check: str, what: str) -> bool:
        return (check, what) in self.allowed


def check_format(tree: Tree) -> list[str]:
    """clang-format would change nothing."""
    done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *map(str, tree.code())], capture_output=True, text=True,
                          check=False)
    files = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    return [f"{tree.name(pathlib.Path(file))}: not formatted; ./dev fmt does it" for file in files]


def check_file_sizes(tree: Tree) -> list[str]:
    """No file is longer than MAX_FILE lines."""
    found = []
    for path in tree.files:
        if path.suffix not in CODE | {".py", ".l", ".y", ".test"} and path.name != "dev":
            continue
        lines = path.read_bytes().count(b"\n")
        if lines > MAX_FILE and not tree.is_allowed("file-size", tree.name(path)):
            found.append(f"{tree.name(path)}: {lines} lines, at most {MAX_FILE}")
    return found


# A line after which a new statement begins.
ENDS = re.compile(r"([;{}]|^\s*(//|#).*|(public|private|protected):)$")
# The text of a statement that opens a function, and what looks like one.
SIGNATURE = re.compile(r"([\w:~]+|operator\S+)\(.*\)[^=]*\{$")
NOT_A_FUNCTION = re.compile(
    r"(if|for|while|switch|else|do|catch|namespace|class|struct|enum|union|extern|return|case)\b|.*(\]\(|= \[|\]\s*\{$)"
)


def _statement(lines: list[str], last: int) -> int:
    """The first line of the statement that ends in line `last`."""
    first = last
    while first > 0 and lines[first - 1].strip() and not ENDS.search(lines[first - 1]):
        first -= 1
    return first


def _cpp_functions(lines: list[str]):
    """(name, first line, length) of each function: clang-format closes it with a brace of its first line's indentation."""
    for last, line in enumerate(lines):
        if not line.endswith("{"):
            continue
        first = _statement(lines, last)
        text = " ".join(part.strip() for part in lines[first : last + 1])
        signature = SIGNATURE.search(text)
        if not signature or NOT_A_FUNCTION.match(text):
            continue
        close = re.match(" *", lines[first])[0] + "}"
        end = next((number for number in range(last + 1, len(lines)) if lines[number].rstrip(";") == close), last)
        yield signature[1], first + 1, end - first + 1


def _python_functions(text: str):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_function_sizes(tree: Tree) -> list[str]:
    """No function is longer than MAX_FUNCTION lines."""
    found = []
    for path in tree.files:
        if path.suffix == ".py":
            functions = _python_functions(path.read_text())
        elif path.suffix in CODE:
            functions = _cpp_functions(path.read_text().splitlines())
        else:
            continue
        for name, line, length in functions:
            if length > MAX_FUNCTION and not tree.is_allowed("function-size", f"{tree.name(path)} {name}"):
                found.append(f"{tree.name(path)}:{line}: {name} has {length} lines, at most {MAX_FUNCTION}")
    return found


def check_words(tree: Tree) -> list[str]:
    """Nothing of FORBIDDEN."""
    found = []
    for path in tree.files:
        name = tree.name(path)
        rules = [(re.compile(pattern), why) for pattern, where, why in FORBIDDEN if re.fullmatch(where, name)]
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for pattern, why in rules:
                if (match := pattern.search(line)) and not tree.is_allowed("words", f"{name} {match[0]}"):
                    found.append(f"{name}:{number}: `{match[0].strip()}`: {why}")
    return found


def check_headers(tree: Tree) -> list[str]:
    """Headers open with #pragma once, and name <cstdint> where they use its types: GCC 14's others do not bring it along."""
    found = []
    for path in tree.code():
        if path.suffix != ".h":
            continue
        text = path.read_text()
        if "#pragma once" not in text:
            found.append(f"{tree.name(path)}: no #pragma once")
        if re.search(r"\bu?int(8|16|32|64)_t\b", text) and not re.search(r"#include <(cstdint|stdint\.h)>", text):
            found.append(f"{tree.name(path)}: uses fixed-width integers without #include <cstdint>")
    return found


def check_allowed(tree: Tree) -> list[str]:
    """Each exception still names a file that is there."""
    return [f"tools/lint.allow: `{what}` is gone" for _, what in tree.allowed if not (tree.root / what.split()[0]).exists()]


def check_shell(tree: Tree) -> list[str]:
    """shellcheck has nothing to say about the scripts."""
    scripts = [path for path in tree.files if path.suffix == ".sh" or tree.name(path) in ("dev", ".ci/run")]
    done = subprocess.run(["shellcheck", "--format=gcc", *map(str, scripts)], capture_output=True, text=True, check=False)
    return [line.replace(f"{tree.root}/", "") for line in done.stdout.splitlines()]


def check_python(tree: Tree) -> list[str]:
    """Every Python file compiles, and fits into the line length of the C++ code."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for path in tree.files:
            if path.suffix != ".py":
                continue
            try:
                py_compile.compile(str(path), cfile=f"{folder}/compiled", doraise=True)
            except py_compile.PyCompileError as error:
                found.append(str(error))
            long = [number for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > 130]
            found += [f"{tree.name(path)}:{number}: longer than 130 columns" for number in long]
    return found


# Name, function, the tool it needs.
CHECKS = [
    ("format", check_format, "clang-format-19"),
    ("file sizes", check_file_sizes, None),
    ("function sizes", check_function_sizes, None),
    ("forbidden words", check_words, None),
    ("headers", check_headers, None),
    ("exceptions are in use", check_allowed, None),
    ("shell scripts", check_shell, "shellcheck"),
    ("python", check_python, None),
]


def outcomes(root: pathlib.Path, build: pathlib.Path, only: str, full: bool):
    """One outcome per check, and one per file that clang-tidy looked at."""
    tree = Tree(root)
    for name, check, tool in CHECKS:
        name = f"lint/{name}"
        if only not in name:
            continue
        if tool and not shutil.which(tool):
            yield Outcome(name, SKIPPED, f"needs tool {tool}")
            continue
        found = check(tree)
        yield Outcome(name, FAILED if found else PASSED, "\n".join(found))
    yield from tidy.outcomes(root, build, only, full)
