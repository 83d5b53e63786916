"""Runs the README's examples as pasted: each `kawk -e …` line of its code blocks for a moment, on this kernel."""

import os
import pathlib
import re
import shlex
import signal
import tempfile
import time

import live
import machine
from harness import FAILED, PASSED, SKIPPED, Outcome

# What a script must find on this machine to run, by what it mentions.
NEEDS = [
    (r"\btracepoint:(\w+):(\w+)", r"tracepoint \1:\2"),
    (r"\bk(ret)?probe:", "kprobe"),
    (r"\bu(ret)?probe:", "uprobe"),
    (r"\bhardware:", "hardware"),
]


def examples(text: str) -> list[str]:
    """The commands of the README's shell blocks that run kawk, without `sudo`."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    commands = [re.sub(r"^(sudo )?(\./dev run|(build/)?kawk) ", "kawk ", line) for line in lines]
    return [command for command in commands if command.startswith("kawk ")]


def _needs(command: str) -> list[str]:
    return [match.expand(need) for pattern, need in NEEDS for match in re.finditer(pattern, command)]


def _run(command: str, kawk: str, name: str) -> Outcome:
    for need in _needs(command):
        if reason := machine.missing(need, is_peer=False):
            return Outcome(name, SKIPPED, reason)
    with tempfile.TemporaryDirectory(prefix="kawk-readme-") as folder:
        tracer = live.Tracer([kawk, *shlex.split(command)[1:]], os.environ | {live.READY: "1"}, None, folder)
        ready = tracer.wait_ready(10)
        time.sleep(0.3)
        if tracer.process.poll() is None:
            tracer.process.send_signal(signal.SIGINT)
        status = tracer.wait(10)
    if ready and status == 0:
        return Outcome(name, PASSED)
    return Outcome(name, FAILED, f"{command}\nexit status {status}\n" + "\n".join(tracer.lines + tracer.errors))


def outcomes(path: pathlib.Path, kawk: str, only: str):
    """One outcome per example."""
    for command in examples(path.read_text()):
        name = f"readme: {command}"
        if only not in name:
            continue
        yield _run(command, kawk, name) if os.geteuid() == 0 else Outcome(name, SKIPPED, "needs root")
