"""What tracing costs the traced program: nanoseconds per openat(2), call or mark by the program's own clock, with and without
the tracer, beside the peer and hand-written libbpf programs on the same tracepoint (floor) and on the raw one (floor raw)."""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from contestants import Contestant, Floor
from figures import Table

READY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
PATH = "/tmp/kawk-bench-none"
AT = "tracepoint:syscalls:sys_enter_openat"
EXIT = "tracepoint:syscalls:sys_exit_openat"


@dataclasses.dataclass
class Case:
    """A script, the floor's program (with `_raw` behind it on the raw tracepoint), and what triggers its events."""

    name: str
    script: str
    floor: str
    loop: str = "openat"


CASES = [
    Case("openat counted by comm", AT + " { @[comm] = count(); }", "count_by_comm"),
    Case("openat printf path", AT + ' { printf("%d %s %s\\n", pid, comm, str(args.filename)); }', "printf_path"),
    Case("@[str(args.filename)] = count()", AT + " { @[str(args.filename)] = count(); }", "count_by_path"),
    Case("start, delta, hist, delete", AT + " { @s[tid] = nsecs; } " + EXIT +
         " /@s[tid]/ { @ = hist(nsecs - @s[tid]); delete(@s, tid); }", "latency"),
    Case("@[kstack] = count()", AT + " { @[kstack] = count(); }", "count_by_stack"),
    Case("@ = count()", AT + " { @ = count(); }", "count"),
    Case("@x++", AT + " { @x++; }", "increment"),
    Case("@[cpu] = sum(n)", AT + " { @[cpu] = sum(args.flags); }", "sum_by_cpu"),
    Case("uprobe count", "uprobe:{call_loop}:traced { @ = count(); }", "call_count", "call"),
    Case("uretprobe hist", "uretprobe:{call_loop}:traced { @ = hist(retval); }", "call_result", "call"),
    Case("USDT sum", "usdt:{call_loop}:kawk_bench:mark { @[cpu] = sum(arg0); }", "mark_sum", "mark"),
]
STATS = "/proc/sys/kernel/bpf_stats_enabled"


class Attached:
    """A tracer from its readiness to its end, as a context. It writes to files: a reader would take CPU time from the loop."""

    def __init__(self, command: list[str]) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="kawk-bench-")
        self.files = [pathlib.Path(self.folder.name) / name for name in ("out", "err")]
        with self.files[0].open("wb") as out, self.files[1].open("wb") as err:
            self.process = subprocess.Popen(command, env=os.environ | {READY: "1"}, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err)
        self.ready = False
        self.lost = 0

    def __enter__(self) -> "Attached":
        deadline = time.monotonic() + 30
        while not self.ready and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
            self.ready = any(READY.encode() in file.read_bytes() for file in self.files)
        return self

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        errors = self.files[1].read_text(errors="replace")
        self.lost = sum(int(number) for number in re.findall(r"\b[Ll]ost (\d+)", errors))

    def __exit__(self, *_) -> None:
        self.stop()
        self.folder.cleanup()

    def run_time(self) -> int:
        """Nanoseconds that this tracer's programs ran, by the kernel's statistics, as its descriptors show them."""
        total = 0
        for path in pathlib.Path(f"/proc/{self.process.pid}/fdinfo").iterdir():
            fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
            # A link's descriptor tells of the same program: only programs' own have a tag and a run time.
            total += int(fields.get("run_time_ns", 0))
        return total


def loop(floor: Floor, kind: str, turns: int, batches: int = 100) -> float:
    """Nanoseconds per turn."""
    command = [floor.openat_loop] if kind == "openat" else [floor.call_loop, kind]
    place = [PATH] if kind == "openat" else []
    command += [str(batches), str(turns // batches), *place]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def kernel_time(floor: Floor, command: list[str], turns: int, kind: str = "openat") -> float | None:
    """Nanoseconds of the programs themselves per turn, by the kernel's statistics: a run of its own, since they cost too."""
    with open(STATS, "w", encoding="ascii") as stats:
        stats.write("1")
    try:
        with Attached(command) as tracer:
            if not tracer.ready:
                return None
            before = tracer.run_time()
            loop(floor, kind, turns)
            return (tracer.run_time() - before) / turns
    finally:
        with open(STATS, "w", encoding="ascii") as stats:
            stats.write("0")


def run(contestants: list[Contestant], floor: Floor, runs: int, turns: int = 200_000) -> Table:
    names = [who.name for who in contestants]
    table = Table("overhead", [*names, "floor", "floor raw"])
    for case in CASES:
        script = case.script.replace("{call_loop}", str(floor.call_loop))
        commands = {who.name: who.script(script, "-q") for who in contestants}
        commands["floor"] = floor.command(case.floor)
        if case.loop == "openat":
            commands["floor raw"] = floor.command(case.floor + "_raw")
        slowdown: dict[str, list[float]] = {who: [] for who in commands}
        lost = dict.fromkeys(commands, 0)
        for _ in range(runs):
            for who, command in commands.items():
                without = loop(floor, case.loop, turns)
                with Attached(command) as tracer:
                    if tracer.ready:
                        slowdown[who].append(loop(floor, case.loop, turns) - without)
                lost[who] += tracer.lost
        note = ", ".join(f"{who} lost {count / (turns * runs):.1%}" for who, count in lost.items() if count)
        table.add(f"{case.name}: slowdown", "ns/turn", slowdown, note)
        kernel = {who: kernel_time(floor, command, turns, case.loop) for who, command in commands.items()}
        table.add(f"{case.name}: in the kernel", "ns/turn", {who: [time] for who, time in kernel.items() if time})
    return table
