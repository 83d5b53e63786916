"""What scripts print, byte for byte: tests/printing/*.bt as text and as JSON, against goldens beside them and, where the
environment variable KAWK_PEER names a bpftrace, against what that prints. See printing/README.md."""

import dataclasses
import difflib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import machine
from harness import FAILED, PASSED, SKIPPED, Outcome
from live import PEER_NOISE

TIMEOUT = 60
FORMS = {"text": "txt", "json": "json"}  # by the name of -f: the suffix of the golden
ATTACHED = re.compile(r"Attached \d+ probes?")


@dataclasses.dataclass
class Script:
    """A script, and the lines `// key: value` at its top."""

    path: pathlib.Path
    keys: dict[str, list[str]]

    @property
    def name(self) -> str:
        return self.path.stem

    def values(self, key: str) -> list[str]:
        return self.keys.get(key, [])


def read(path: pathlib.Path) -> Script:
    keys: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if not line.startswith("//"):
            break
        if entry := re.fullmatch(r"// (args|trigger|mask|needs|peer): (.*)", line):
            keys.setdefault(entry[1], []).append(entry[2])
    return Script(path, keys)


def run(script: Script, binary: str, form: str, triggers: pathlib.Path) -> tuple[str, str]:
    """Standard output and standard error, less what differs from one run to the next."""
    with tempfile.TemporaryDirectory(prefix="kawk-printing-") as folder:
        copy = pathlib.Path(folder) / script.path.name
        copy.write_text(script.path.read_text().replace("${BIN}", str(triggers)))
        command = [binary, "--no-warnings", "-f", form, *shlex.split(" ".join(script.values("args")))]
        for trigger in script.values("trigger"):
            command += ["-c", f"{triggers}/{trigger}"]
        done = subprocess.run([*command, str(copy)], capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
        outputs = [text.decode(errors="surrogateescape") for text in (done.stdout, done.stderr)]
    outputs[1] = "".join(f"{line}\n" for line in outputs[1].splitlines()
                         if not PEER_NOISE.fullmatch(line) and not ATTACHED.fullmatch(line))
    if done.returncode != 0:
        outputs[1] += f"exit status {done.returncode}\n"
    for mask in [re.escape(f"{folder}/"), *script.values("mask")]:
        outputs = [re.sub(mask, "" if mask.endswith("/") else "…", text) for text in outputs]
    return outputs[0], outputs[1]


def _no_twice(pairs: list[tuple]) -> dict:
    names = [name for name, _ in pairs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"names that stand twice in an object: {sorted(twice)}")
    return dict(pairs)


def bad_json(output: str) -> list[str]:
    """The lines that are no JSON, or JSON in which something gets lost."""
    found = []
    for line in output.splitlines():
        try:
            line.encode()  # no bytes that are no UTF-8
            json.loads(line, object_pairs_hook=_no_twice)
        except ValueError as error:
            found.append(f"{error}: {line!r}")
    return found


def _difference(wanted: str, seen: str, source: str) -> str:
    lines = [text.encode(errors="surrogateescape").decode(errors="backslashreplace").splitlines() for text in (wanted, seen)]
    return "\n".join(difflib.unified_diff(*lines, source, "kawk", lineterm="", n=1))


def _golden(script: Script, form: str, shown: str, update: bool) -> str:
    """What differs from the golden."""
    path = script.path.with_suffix(f".{FORMS[form]}")
    if update:
        path.write_bytes(shown.encode(errors="surrogateescape"))
        return ""
    if not path.exists():
        return f"{path.name} is missing; --update writes it"
    wanted = path.read_bytes().decode(errors="surrogateescape")
    return "" if wanted == shown else _difference(wanted, shown, path.name)


def _of(script: Script, form: str, binary: str, triggers: pathlib.Path, peer: str | None, update: bool):
    """The outcomes of one script in one form: against its golden, and against the peer."""
    name = f"printing/{script.name} as {form}"
    against = f"{name}, against the peer"
    for need in [need for needs in script.values("needs") for need in needs.split(", ")]:
        if reason := machine.missing(need, is_peer=False):
            yield Outcome(name, SKIPPED, reason)
            return
    output, errors = run(script, binary, form, triggers)
    shown = output + (f"--- standard error\n{errors}" if errors else "")
    complaints = bad_json(output) if form == "json" else []
    if difference := _golden(script, form, shown, update):
        complaints.append(difference)
    yield Outcome(name, FAILED if complaints else PASSED, "\n".join(complaints))
    if script.values("peer") or update:
        return
    if not peer:
        yield Outcome(against, SKIPPED, "KAWK_PEER names no bpftrace")
        return
    theirs, their_errors = run(script, peer, form, triggers)
    if theirs == output:
        yield Outcome(against, PASSED)
    else:
        yield Outcome(against, FAILED, _difference(theirs, output, "the peer") + "\n" + their_errors)


def outcomes(folder: pathlib.Path, build: pathlib.Path, only: str, update: bool):
    """Each script in both forms."""
    named = os.environ.get("KAWK_PEER", "")
    peer = shutil.which(named) if named else None
    for path in sorted(folder.glob("*.bt")):
        script = read(path)
        for form in FORMS:
            if only not in f"printing/{script.name} as {form}, against the peer":
                continue
            if os.geteuid() != 0:
                yield Outcome(f"printing/{script.name} as {form}", SKIPPED, "needs root")
                continue
            yield from _of(script, form, str(build / "kawk"), build / "tests" / "triggers", peer, update)
