"""clang-tidy over our own sources: those with changes that are not committed, or with --full all of them (a quarter of an hour
on two cores). A file that passed is not looked at again until it, a header of ours that it includes, or .clang-tidy changes:
stamps in build/tidy/ hold the hash of all these."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from harness import FAILED, PASSED, SKIPPED, Outcome

TOOL = "clang-tidy-19"


def _dependencies(build: pathlib.Path, root: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Object file → the files of our tree it was made from, as ninja recorded them."""
    shown = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=False).stdout
    result: dict[str, list[pathlib.Path]] = {}
    current: list[pathlib.Path] = []
    for line in shown.splitlines():
        if header := re.match(r"(\S+): #deps", line):
            current = result.setdefault(header[1], [])
        elif line.startswith("    "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(root):
                current.append(path)
    return result


def _units(root: pathlib.Path, build: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
    """(source, object) of every C++ file of ours. Generated and C files stay out, and the tests: gtest's macros trip half of
    the checks."""
    path = build / "compile_commands.json"
    entries = json.loads(path.read_text()) if path.exists() else []
    units = {}
    for entry in entries:
        source = pathlib.Path(entry["file"])
        if source.suffix != ".cpp" or not source.is_relative_to(root) or source.is_relative_to(build):
            continue
        if source.relative_to(root).parts[0] not in ("tests", "cmake"):
            units[source] = re.search(r" -o (\S+)", entry["command"])[1]
    return sorted(units.items())


def _hash(files: list[pathlib.Path]) -> str:
    state = hashlib.sha256()
    for file in sorted(set(files)):
        state.update(file.read_bytes() if file.exists() else b"")
    return state.hexdigest()


def _run(source: pathlib.Path, build: pathlib.Path) -> str:
    """What clang-tidy has to say; empty when nothing."""
    # Some of our warnings only GCC knows.
    command = [TOOL, "--extra-arg=-Wno-unknown-warning-option", "--quiet", "-p", str(build), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          check=False)
    return done.stdout if done.returncode else ""


def _changed(root: pathlib.Path) -> set[pathlib.Path]:
    """Files that differ from the last commit, or are new."""
    command = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=all"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return {root / line[3:].split(" -> ")[-1] for line in shown.stdout.splitlines()}


def outcomes(root: pathlib.Path, build: pathlib.Path, only: str, full: bool):
    """One outcome per source file."""
    if not shutil.which(TOOL):
        yield Outcome("lint/tidy", SKIPPED, f"needs tool {TOOL}")
        return
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    dependencies = _dependencies(build, root)
    waiting = []
    changed = _changed(root)
    for source, object_file in _units(root, build):
        if not full and source not in changed:
            continue
        name = f"lint/tidy {source.relative_to(root)}"
        if only not in name:
            continue
        stamp = stamps / str(source.relative_to(root)).replace("/", "__")
        state = _hash([source, root / ".clang-tidy", *dependencies.get(object_file, [])])
        if stamp.exists() and stamp.read_text() == state:
            yield Outcome(name, PASSED)
        else:
            waiting.append((name, source, stamp, state))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = pool.map(lambda entry: _run(entry[1], build), waiting)
        for (name, _, stamp, state), text in zip(waiting, said):
            if text:
                yield Outcome(name, FAILED, text)
            else:
                stamp.write_text(state)
                yield Outcome(name, PASSED)
