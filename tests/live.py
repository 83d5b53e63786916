"""Runs tests/live/*.test: a script, what triggers its events, and what it must print. The format: live/README.md."""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time

import live_format
import machine
from harness import FAILED, PASSED, SKIPPED, Outcome, shorten

READY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
# The peer says these on every start here; they are not what a test is about.
PEER_NOISE = re.compile(r"WARNING: (Could not read functions from|Unknown error -1: couldn't set RLIMIT_MEMLOCK).*")


class Tracer:
    """The running kawk (or peer): its output by line, and the moment when its probes are attached."""

    def __init__(self, command: list[str], environment: dict[str, str], stdin: str | None, folder: str) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._ready = threading.Event()
        self.process = subprocess.Popen(command, env=environment, cwd=folder, text=True, errors="replace", bufsize=1,
                                        start_new_session=True, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._readers = [threading.Thread(target=self._read_output), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()
        if stdin:
            self.process.stdin.write(stdin)
            self.process.stdin.close()

    def _read_output(self) -> None:
        for line in self.process.stdout:
            if line.rstrip("\n") == READY:
                self._ready.set()
            else:
                self.lines.append(line.rstrip("\n"))
        self._ready.set()  # it will never be readier than at its end

    def _read_errors(self) -> None:
        for line in self.process.stderr:
            if not PEER_NOISE.match(line):
                self.errors.append(line.rstrip("\n"))

    def wait_ready(self, seconds: float) -> bool:
        return self._ready.wait(seconds)

    def wait(self, seconds: float) -> int | None:
        """The exit status; None when it had to be killed."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        # What kawk started (-c) may hold the pipes open.
        for reader in self._readers:
            reader.join(2)
        return status


def _in_order(patterns: list[str], lines: list[str]) -> str | None:
    """The first of `patterns` that is not found after the one before it."""
    at = 0
    for pattern in patterns:
        while at < len(lines) and not live_format.matches(pattern, lines[at]):
            at += 1
        if at == len(lines):
            return pattern
        at += 1
    return None


def _json_lines(lines: list[str]) -> list:
    """Each line as JSON; what is none stays text."""
    values = []
    for line in lines:
        try:
            values.append(json.loads(line))
        except ValueError:
            values.append(line)
    return values


def complaints(test: live_format.LiveTest, lines: list[str], errors: list[str], expand) -> list[str]:
    """What is wrong with an output."""
    found = []
    while lines and not lines[-1]:
        lines = lines[:-1]
    wanted = test.block("stdout")
    if wanted is not None:
        wanted = [expand(line) for line in wanted]
        if len(wanted) != len(lines) or not all(map(live_format.matches, wanted, lines)):
            found.append("standard output is not:\n" + "\n".join(f"  {line}" for line in wanted))
    for block in test.blocks.get("contains", []):
        if (absent := _in_order([expand(line) for line in block], lines)) is not None:
            found.append(f"missing in the output: {absent}")
    for entry in test.entries("times"):
        number, _, pattern = entry.partition(" ")
        count = sum(live_format.matches(expand(pattern), line) for line in lines)
        if count != int(expand(number)):
            found.append(f"{count} lines instead of {number} match: {pattern}")
    for entry in test.entries("sum"):
        number, _, pattern = entry.partition(" ")
        total = sum(int(match[1]) for line in lines if (match := re.fullmatch(expand(pattern), line)))
        if total != int(expand(number)):
            found.append(f"a total of {total} instead of {number}: {pattern}")
    for pattern in test.block("absent") or []:
        found += [f"must not be in the output: {line}" for line in lines if live_format.matches(expand(pattern), line)]
    if (absent := _in_order([expand(line) for line in test.block("stderr") or []], errors)) is not None:
        found.append(f"missing in standard error: {absent}")
    values = _json_lines(lines)
    for text in [line for block in test.blocks.get("json", []) for line in block]:
        value = json.loads(expand(text))
        if value not in values:
            found.append(f"missing in the JSON output: {text}")
            break
        values = values[values.index(value) + 1 :]
    return found


def named_tests(path: pathlib.Path) -> dict[str, live_format.LiveTest]:
    """The tests of one file by the names that reports use."""
    return {f"live/{path.stem}: {test.name}": test for test in live_format.parse(path)}


class Runner:
    """Runs live tests with one binary."""

    def __init__(self, binary: str, triggers: pathlib.Path, is_peer: bool = False, patience: float = 1) -> None:
        self.binary = binary
        self.triggers = triggers
        self.is_peer = is_peer
        self.patience = patience  # a factor for time limits: emulated machines are slow

    def run(self, test: live_format.LiveTest, name: str) -> Outcome:
        if os.geteuid() != 0:
            return Outcome(name, SKIPPED, "needs root")
        if absent := machine.not_booted_with(test.value("boot")):
            return Outcome(name, SKIPPED, f"needs a kernel booted with {absent}")
        for need in test.needs():
            if reason := machine.missing(need, self.is_peer):
                return Outcome(name, SKIPPED, reason)
        before = machine.state()
        with tempfile.TemporaryDirectory(prefix="kawk-live-") as folder:
            os.chmod(folder, 0o755)
            found, shown = self._run_in(test, folder)
        # The peer is run by a wrapper and holds programs a little longer; only our own leavings count.
        if not self.is_peer:
            found += machine.left_behind(before, 10 * self.patience)
        if not found:
            return Outcome(name, PASSED)
        return Outcome(name, FAILED, f"{test.source}\n" + "\n".join(found) + "\n" + shorten(shown, 30))

    def _command(self, test: live_format.LiveTest, folder: str, expand) -> list[str]:
        script = expand("\n".join(test.block("script") or []))
        program = ["-e", script] if script else []
        if file := test.value("file"):
            path = pathlib.Path(folder) / file
            path.write_text(script + "\n")
            path.chmod(0o755)
            program = [str(path)]
        for first, *lines in test.blocks.get("beside", []):
            name, _, mode = first.partition(" ")
            path = pathlib.Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
                path.chmod(int(mode, 8))
            else:
                path.write_text(expand("\n".join(lines)) + "\n")
        if command := test.value("command"):
            return shlex.split(expand(command))
        return [self.binary, *shlex.split(expand(test.value("args"))), *program, *shlex.split(expand(test.value("params")))]

    def _trigger(self, line: str) -> list[str]:
        """The command of a `trigger` or `process` line: a bare name is one of our own programs."""
        words = shlex.split(line)
        own = self.triggers / words[0]
        return [str(own) if own.exists() else words[0], *words[1:]]

    def _run_in(self, test: live_format.LiveTest, folder: str) -> tuple[list[str], str]:
        """Runs the test; what is wrong, and the output for the reader."""
        names = {"TMP": folder, "BIN": str(self.triggers), "KAWK": self.binary, "PID": "0"}

        def expand(text: str) -> str:
            text = re.sub(r"\$\{many:(\d+)\}", lambda number: str(int(number[1]) // (10 if self.patience > 1 else 1)), text)
            return re.sub(r"\$\{(\w+)\}", lambda name: names.get(name[1], name[0]), text)

        process = None
        if line := test.value("process"):
            process = subprocess.Popen(self._trigger(expand(line)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       env=os.environ | {"TRIGGER_WAIT": "1"})
            names["PID"] = str(process.pid)
            threading.Thread(target=process.wait, daemon=True).start()  # a zombie would still look alive to kawk
        environment = os.environ | {READY: "1"} | dict(expand(entry).split("=", 1) for entry in test.entries("env"))
        if not self.is_peer:  # for shebangs
            environment["PATH"] = f"{pathlib.Path(self.binary).parent}:{environment.get('PATH', '')}"
        block = test.block("stdin")
        tracer = Tracer(self._command(test, folder, expand), environment, expand("\n".join(block)) if block else None, folder)
        found = self._drive(test, tracer, process, expand)
        if process:
            process.kill()
        if left := machine.session_members(tracer.process.pid):
            found.append(f"processes left behind: {left}")
            os.killpg(tracer.process.pid, signal.SIGKILL)
        found += complaints(test, tracer.lines, tracer.errors, expand)
        shown = "--- standard output\n" + "\n".join(tracer.lines) + "\n--- standard error\n" + "\n".join(tracer.errors)
        return found, shown

    def _drive(self, test: live_format.LiveTest, tracer: Tracer, process, expand) -> list[str]:
        """From the start of the tracer to its end: triggers, signal, exit status."""
        timeout = float(test.value("timeout", "15")) * self.patience
        deadline = time.monotonic() + timeout
        triggers = test.entries("trigger")
        end = test.value("end", "INT" if triggers else "exit")
        if not tracer.wait_ready(timeout):
            tracer.wait(0)
            return [f"not ready after {timeout:g} s"]
        if process:
            process.stdin.write(b"\n")
            process.stdin.close()
        for line in triggers:
            try:
                subprocess.run(self._trigger(expand(line)), stdout=subprocess.DEVNULL, timeout=timeout, check=False)
            except subprocess.TimeoutExpired:
                tracer.wait(0)
                return [f"the trigger `{line}` hangs"]
        if end != "exit":
            time.sleep(float(test.value("after", "0.1")))
            tracer.process.send_signal(signal.Signals["SIG" + end])
        status = tracer.wait(max(0.1, deadline - time.monotonic()))
        wanted = int(test.value("exit", "0"))
        if status is None:
            return [f"still running after {timeout:g} s"]
        return [] if status == wanted else [f"exit status {status} instead of {wanted}"]


def outcomes(folder: pathlib.Path, runner: Runner, only: str):
    """All live tests whose name holds `only`, one after another."""
    for path in sorted(folder.glob("*.test")):
        try:
            tests = named_tests(path)
        except live_format.FormatError as error:
            yield Outcome(f"live/{path.stem}", FAILED, str(error))
            continue
        for name, test in tests.items():
            if only in name:
                yield runner.run(test, name)
