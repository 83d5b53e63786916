"""Ready-made tools beside bpftrace: both watch the same work at the same time, and must print the same of it."""

import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

from harness import FAILED, PASSED, SKIPPED, Outcome, shorten

READY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
START = 60  # seconds that attaching may take on a busy machine
WORK = 4.0  # what is enough for tools that print every second or sample
RECORDS = 15.0  # until both have printed the last line of what they were to see

PYTHON = sys.executable
# What makes the events of a tool: a program's words ({mark}: the path of a file that nobody else names), and which lines
# are about it ({mark}, {pid}). Tools that are not here print tables and charts of the whole machine: of those the frame
# counts.
WORKLOADS = {
    "opensnoop": (["cat", "{mark}"], r"{mark}"),
    "statsnoop": (["stat", "{mark}"], r"{mark}"),
    "execsnoop": (["/bin/true", "{mark}"], r"{mark}"),
    "killsnoop": ([PYTHON, "-c", "import os\nfor n in (0, 23): os.kill(os.getpid(), n)"], r"\b{pid}\b"),
    "syncsnoop": ([PYTHON, "-c", "import os\nf = os.open('{mark}', os.O_RDWR)\nos.fsync(f); os.fdatasync(f)"], r"\b{pid}\b"),
    "setuids": ([PYTHON, "-c", "import os\nos.setuid(0); os.setresuid(0, 0, 0)"], r"\b{pid}\b"),
    "naptime": (["sleep", "0.031"], r"\b{pid}\b"),
    "gethostlatency": (["getent", "ahosts", "localhost"], r"\b{pid}\b"),
    "threadsnoop": ([PYTHON, "-c", "import threading\nt = threading.Thread(target=len, args=('',)); t.start(); t.join()"],
                    r"\b{pid}\b"),
}
OTHER_FILES = {"gethostlatency", "threadsnoop"}  # they watch libraries: a peer that runs in a folder of its own has its own
TIMES = re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?\b")


class Watcher:
    """One tracer that runs a tool."""

    def __init__(self, binary: str, script: str) -> None:
        self.output, self.errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen([binary, "-"], stdin=subprocess.PIPE, stdout=self.output, stderr=self.errors,
                                        env=os.environ | {READY: "1"})
        self.process.stdin.write(script.encode())
        self.process.stdin.close()

    def text(self) -> str:
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def complaint(self) -> str:
        """The first error."""
        self.errors.seek(0)
        lines = [line for line in self.errors.read().decode(errors="replace").splitlines() if "ERROR" in line]
        return lines[0] if lines else "it is not ready after a minute"

    def wait_for(self, pattern: str, seconds: float) -> bool:
        """Whether the output holds the pattern before the time is over or the process ends."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text()):
            if self.process.poll() is not None or time.monotonic() > end:
                return re.search(pattern, self.text()) is not None
            select.select([], [], [], 0.05)
        return True

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(START)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def about(text: str, pattern: str) -> list[str]:
    """The lines that match, without the time of day; those that different CPUs wrote may have changed places."""
    lines = [TIMES.sub("TIME", line) for line in text.splitlines() if re.search(pattern, line)]
    return sorted(re.sub(r" +", " ", line).strip() for line in lines)


def frame(text: str) -> list[str]:
    """What a tool prints whatever happens on the machine: its first lines, up to the first number or map."""
    kept = []
    for line in text.splitlines():
        if line.startswith(READY) or not line.strip():
            continue
        if re.match(r"\s*\d|@", line):
            break
        kept.append(line)
    return kept


def names(text: str) -> set[str]:
    """The maps that are shown."""
    return set(re.findall(r"^@\w*", text, re.MULTILINE))


def work(tool: str, mark: str) -> str:
    """Does what the tool is to see; gives the pattern of the lines about it."""
    if tool not in WORKLOADS:
        time.sleep(WORK)
        return ""
    words, pattern = WORKLOADS[tool]
    started = subprocess.Popen([word.replace("{mark}", mark) for word in words], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started.wait()
    return pattern.replace("{mark}", re.escape(mark)).replace("{pid}", str(started.pid))


def compare(binary: str, peer: str, tool: pathlib.Path) -> Outcome:
    """One tool, run by both."""
    name = f"tools/{tool.stem} beside the peer"
    script = tool.read_text()
    with tempfile.NamedTemporaryFile(prefix="kawk-mark-") as mark:
        watchers = [Watcher(binary, script), Watcher(peer, script)]
        try:
            ready = [watcher.wait_for(READY, START) for watcher in watchers]
            if not ready[1]:
                return Outcome(name, SKIPPED, f"the peer cannot run it here: {watchers[1].complaint()}")
            if not ready[0]:
                return Outcome(name, FAILED, watchers[0].complaint())
            pattern = work(tool.stem, mark.name)
            for watcher in watchers if pattern else []:
                watcher.wait_for(pattern, RECORDS)
        finally:
            codes = [watcher.stop() for watcher in watchers]
        own, other = (watcher.text() for watcher in watchers)
    if codes[0] != codes[1]:
        return Outcome(name, FAILED, f"exit status {codes[0]}, of the peer {codes[1]}\n{shorten(own)}")
    if tool.stem in OTHER_FILES and pattern and not re.search(pattern, other):
        return Outcome(name, SKIPPED, "the peer watches other libraries here, as it does in a folder of its own")
    sides = (about(own, pattern), about(other, pattern)) if pattern else (frame(own), frame(other))
    if sides[0] != sides[1]:
        return Outcome(name, FAILED, "\n".join(["kawk:", *sides[0], "peer:", *sides[1]]))
    if not sides[0]:
        return Outcome(name, FAILED, f"neither printed anything of {pattern or 'its own'}")
    if not pattern and names(own) != names(other):
        return Outcome(name, FAILED, f"maps: {sorted(names(own))}, of the peer {sorted(names(other))}")
    return Outcome(name, PASSED)
