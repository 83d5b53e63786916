"""The road from a firing probe to the user's file: what is lost, what a line costs in the kernel and in the tracer's
process, how late a single event is, how long leaving takes, how many bytes of the ring a record takes; and a soak."""

import ctypes
import mmap
import os
import pathlib
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import threading
import time
import typing

from contestants import Contestant, Floor
from figures import Table
from overhead import AT, READY, Attached, kernel_time

EVENTS = 1_000_000
LATENCY_EVENTS = 300
PATH = "/tmp/kawk-bench-output"  # does not exist
PRINTF = AT + ' { printf("%s %s\\n", comm, str(args.filename)); }'
# 24 bytes of payload in three integers.
RECORD = AT + ' { printf("%lld %lld %lld\\n", nsecs, elapsed, nsecs); }'
# What leaving is measured with.
LEAVING = [
    ("one probe, printf", PRINTF),
    ("all system calls", "tracepoint:syscalls:sys_enter_* { @[probe] = count(); }"),
    ("5,000 keys to print", "config = { max_map_keys = 10000 } " + AT + " { @[@n++ % 5000] = count(); }"),
]
BIG_MAP = ("config = { max_map_keys = 1100000 } "
           "BEGIN { for ($i : 0..1000000) { @[$i] = $i; } print(@); exit(); } END { clear(@); }")
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> tuple[float, float]:
    """User and system seconds of a process, all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def rss(pid: int) -> int:
    """Resident bytes."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE


def _loop(floor: Floor, calls: int) -> None:
    subprocess.run([floor.openat_loop, "1", str(calls), PATH], capture_output=True, check=True)


def settle(file: pathlib.Path) -> None:
    """Until a file has not grown for half a second."""
    size = -1
    while file.stat().st_size != size:
        size = file.stat().st_size
        time.sleep(0.5)


def count_lines(file: pathlib.Path) -> int:
    """Lines about PATH: the rest of the machine opens files, too."""
    with file.open("rb") as text:
        return sum(line.endswith(PATH.encode() + b"\n") for line in text)


def _burst(table: Table, measured: list[Contestant], floor: Floor, runs: int) -> None:
    lost: dict[str, list[float]] = {who.name: [] for who in measured}
    user: dict[str, list[float]] = {who.name: [] for who in measured}
    total: dict[str, list[float]] = {who.name: [] for who in measured}
    for _ in range(runs):
        for who in measured:
            with Attached(who.script(PRINTF, "-q")) as tracer:
                before = cpu_seconds(tracer.process.pid)
                _loop(floor, EVENTS)
                settle(tracer.files[0])
                after = cpu_seconds(tracer.process.pid)
                lines = count_lines(tracer.files[0])
            lost[who.name].append((EVENTS - lines) / EVENTS * 100)
            user[who.name].append((after[0] - before[0]) / lines * 1e9)
            total[who.name].append((sum(after) - sum(before)) / lines * 1e9)
    case = "openat printf path and comm, 1 M in a loop"
    table.add(f"{case}: lost", "%", lost)
    table.add(f"{case}: user CPU of the tracer", "ns/line", user)
    table.add(f"{case}: user and system CPU of the tracer", "ns/line", total)
    kernel = {who.name: [] for who in measured}
    for _ in range(runs):
        for who in measured:
            found = kernel_time(floor, who.script(PRINTF, "-q"), EVENTS // 4)
            kernel[who.name] += [found] if found else []
    table.add(f"{case}: in the kernel", "ns/run", kernel)


class Piped:
    """A tracer whose standard output is a pipe that we read, from its readiness on."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, env=os.environ | {READY: "1"}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.text = b""

    def __enter__(self) -> "Piped":
        if not self.wait_for(READY.encode(), 30):
            raise RuntimeError("not ready: " + " ".join(self.process.args))
        return self

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()

    def wait_for(self, text: bytes, seconds: float) -> bool:
        """Whether `text` arrives in time; what stands before its end is dropped."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return False
            found = os.read(self.process.stdout.fileno(), 65536)
            if not found:
                return False
            self.text += found
        self.text = self.text.split(text, 1)[1]
        return True


def _latency(table: Table, measured: list[Contestant]) -> None:
    """Events 1 to 120 ms apart, one at a time: from the system call to the line in the pipe."""
    milliseconds: dict[str, list[float]] = {}
    for who in measured:
        found = milliseconds.setdefault(who.name, [])
        random.seed(1)
        with Piped(who.script(PRINTF + ' END { printf("end\\n"); }', "-q")) as tracer:
            for number in range(LATENCY_EVENTS):
                time.sleep(random.uniform(0.001, 0.12))
                path = f"{PATH}-{number}."
                start = time.monotonic()
                try:
                    os.close(os.open(path, os.O_RDONLY))
                except FileNotFoundError:
                    pass
                if tracer.wait_for(path.encode(), 2):
                    found.append((time.monotonic() - start) * 1000)
    lost = ", ".join(f"{who}: {LATENCY_EVENTS - len(found)} missing" for who, found in milliseconds.items()
                     if len(found) < LATENCY_EVENTS)
    table.add("a single event until it is in the pipe: median", "ms", milliseconds, lost)
    for share in (99, 100):
        table.add(f"a single event until it is in the pipe: {'largest' if share == 100 else '99th percentile'}", "ms",
                  {who: [max(found) if share == 100 else statistics.quantiles(found, n=100)[98]]
                   for who, found in milliseconds.items()})


def _leaving(table: Table, measured: list[Contestant], floor: Floor, runs: int) -> None:
    for case, script in LEAVING:
        times: dict[str, list[float]] = {who.name: [] for who in measured}
        for _ in range(runs):
            for who in measured:
                with Attached(who.script(script, "-q")) as tracer:
                    _loop(floor, 20_000)
                    settle(tracer.files[0])
                    start = time.monotonic()
                    tracer.process.send_signal(signal.SIGINT)
                    tracer.process.wait(120)
                    times[who.name].append((time.monotonic() - start) * 1000)
        table.add(f"Ctrl-C to the prompt: {case}", "ms", times)


def _produced(pid: int) -> int:
    """The producer's position of a process's ring buffer: bytes ever taken in it, headers included."""
    libc = ctypes.CDLL(None, use_errno=True)
    get_map_by_id, bpf_call, ring_type = 14, {"x86_64": 321}.get(os.uname().machine, 280), 27
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        fields = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
        if int(fields.get("map_type", -1)) != ring_type:
            continue
        attribute = ctypes.create_string_buffer(struct.pack("=III", int(fields["map_id"]), 0, 0), 128)
        fd = libc.syscall(bpf_call, get_map_by_id, attribute, 128)
        with mmap.mmap(fd, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ, offset=mmap.PAGESIZE) as page:
            position = struct.unpack("=Q", page[:8])[0]
        os.close(fd)
        return position
    raise RuntimeError("no ring buffer")


def _ring_bytes(table: Table, measured: list[Contestant], floor: Floor) -> None:
    calls = 50_000
    size: dict[str, list[float]] = {}
    for who in measured:
        with Attached(who.script(RECORD, "-q")) as tracer:
            before = _produced(tracer.process.pid)
            _loop(floor, calls)
            # Other openat calls of the machine are few beside ours.
            size[who.name] = [(_produced(tracer.process.pid) - before) / calls]
    table.add("ring bytes for 24 bytes of payload", "bytes", size)


def _big_map(table: Table, measured: list[Contestant], floor: Floor, runs: int) -> None:
    wall: dict[str, list[float]] = {who.name: [] for who in measured}
    peak: dict[str, list[float]] = {who.name: [] for who in measured}
    for _ in range(runs):
        for who in measured:
            shown = subprocess.run([floor.measure, *who.script(BIG_MAP, "-q")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True, check=True)
            _, microseconds, _, kib = shown.stderr.strip().splitlines()[-1].split()
            wall[who.name].append(int(microseconds) / 1e6)
            peak[who.name].append(int(kib) / 1024)
    table.add("a map of a million keys, filled and printed: wall", "s", wall)
    table.add("a map of a million keys, filled and printed: peak memory", "MiB", peak)


class Counted(threading.Thread):
    """Reads a tracer's output and keeps only numbers: hours of it would fill the disk."""

    def __init__(self, stream: typing.BinaryIO) -> None:
        super().__init__()
        self.stream, self.lines, self.by, self.total, self.ready = stream, 0, 0, 0, threading.Event()
        self.start()

    def run(self) -> None:
        rest = b""
        while chunk := self.stream.read1(1 << 20):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            text = whole + newline
            if READY.encode() in text:
                self.ready.set()
            self.lines += text.count(b" " + PATH.encode() + b"\n")
            if b"@" in text:
                self.by += sum(map(int, re.findall(rb"^@by\[\d+\]: (\d+)$", text, re.MULTILINE)))
                self.total += sum(map(int, re.findall(rb"^@calls: (\d+)$", text, re.MULTILINE)))


def _soak(table: Table, kawk: Contestant, floor: Floor, seconds: int) -> None:
    """Full rate on every CPU, printing and maps: memory over time, and totals against what was done."""
    script = (AT + f' /str(args.filename) == "{PATH}"/ {{ printf("%s %s\\n", comm, str(args.filename)); @calls = count(); '
              "@by[cpu] = sum(1); @paths[str(args.filename)] = count(); }\n"
              "interval:s:1 { print(@by); clear(@by); }")
    done, resident = 0, []
    tracer = subprocess.Popen(kawk.script(script, "-q"), env=os.environ | {READY: "1"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    counted = Counted(tracer.stdout)
    counted.ready.wait(30)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        loops = [subprocess.Popen([floor.openat_loop, "1", str(EVENTS), PATH], stdout=subprocess.DEVNULL)
                 for _ in range(os.cpu_count() or 1)]
        for loop in loops:
            loop.wait()
        done += EVENTS * len(loops)
        resident.append(rss(tracer.pid) / 2**20)
    tracer.send_signal(signal.SIGINT)
    lost = sum(int(number) for number in re.findall(r"^Lost (\d+)", tracer.stderr.read().decode(), re.MULTILINE))
    counted.join()
    tracer.wait()
    quarter = max(1, len(resident) // 4)
    case = f"soak of {seconds} s on all CPUs"
    table.add(f"{case}: events", "", {"kawk": [done]}, f"{done / seconds:.0f} a second")
    table.add(f"{case}: missing in @calls", "events", {"kawk": [done - counted.total]})
    table.add(f"{case}: missing in the prints of a map cleared each second", "events", {"kawk": [done - counted.by]})
    table.add(f"{case}: reported lost", "events", {"kawk": [lost]})
    table.add(f"{case}: neither printed nor reported lost", "events", {"kawk": [done - counted.lines - lost]})
    table.add(f"{case}: resident memory, first quarter", "MiB", {"kawk": resident[:quarter]})
    table.add(f"{case}: resident memory, last quarter", "MiB", {"kawk": resident[-quarter:]})


def run(contestants: list[Contestant], floor: Floor, runs: int) -> Table:
    soak_seconds = int(os.environ.get("KAWK_SOAK", "600"))
    table = Table("output", [who.name for who in contestants])
    _burst(table, contestants, floor, runs)
    _latency(table, contestants)
    _leaving(table, contestants, floor, runs)
    _ring_bytes(table, contestants, floor)
    _big_map(table, contestants, floor, min(runs, 3))
    if soak_seconds:
        _soak(table, contestants[0], floor, soak_seconds)
    return table
