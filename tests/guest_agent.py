"""Runs inside a guest: takes requests from the second serial port, runs live tests, and answers.

The kernel's messages go to the first port, so nothing mixes with these; a checksum on every line shows a port that lost bytes.
"""

import json
import os
import pathlib
import platform
import subprocess
import sys
import threading
import time
import tty
import zlib

import live
import live_format
from harness import Outcome, shorten

PORT = "/dev/ttyS1"
HEARTBEAT = 2.0  # seconds; the host takes a guest that says nothing for long as hung
MARK = "KAWK"


def frame(message: dict) -> str:
    """One line for one message: mark, checksum, JSON in ASCII."""
    text = json.dumps(message)
    return f"{MARK} {zlib.crc32(text.encode()):08x} {text}\n"


def unframe(line: str) -> dict | None:
    """The message of a line; None for anything else."""
    mark, _, rest = line.rstrip("\r\n").partition(" ")
    checksum, _, text = rest.partition(" ")
    if mark != MARK or checksum != f"{zlib.crc32(text.encode()):08x}":
        return None
    return json.loads(text)


class Port:
    """The host, at the other end of the serial line."""

    def __init__(self, path: str) -> None:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(fd)
        self._in = os.fdopen(fd, "r", encoding="utf-8", errors="replace", closefd=False)
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, message: dict) -> None:
        data = frame(message).encode()
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]

    def requests(self):
        for line in self._in:
            if (message := unframe(line)) is not None:
                yield message

    def beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT)
            self.send({"alive": time.monotonic()})


def all_tests(folder: pathlib.Path) -> dict[str, live_format.LiveTest]:
    """The live tests by the name that reports use. Files that cannot be read are the host's to report."""
    tests = {}
    for path in sorted(folder.glob("*.test")):
        try:
            tests |= live.named_tests(path)
        except live_format.FormatError:
            continue
    return tests


def shell(request: dict) -> dict:
    """Runs a shell command; its status and output."""
    try:
        done = subprocess.run(["sh", "-c", request["command"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=request["seconds"], check=False)
    except subprocess.TimeoutExpired as error:
        return {"status": None, "output": (error.stdout or b"").decode(errors="replace")}
    return {"status": done.returncode, "output": done.stdout}


def main() -> None:
    port = Port(PORT)
    tests = all_tests(pathlib.Path(__file__).parent / "live")
    threading.Thread(target=port.beat, daemon=True).start()
    port.send({"ready": platform.release()})
    for request in port.requests():
        if "command" in request:
            port.send(shell(request))
            continue
        started = time.monotonic()
        runner = live.Runner(request["binary"], pathlib.Path(request["triggers"]), request["peer"], request["patience"])
        try:
            outcome = runner.run(tests[request["test"]], request["test"])
        except Exception as error:  # a bug of the runner must not look like a guest that hangs
            outcome = Outcome(request["test"], "failed", f"the runner itself failed: {error!r}")
        port.send({"status": outcome.status, "detail": shorten(outcome.detail, 200)[-20000:],
                   "seconds": time.monotonic() - started})


if __name__ == "__main__":
    sys.exit(main())
