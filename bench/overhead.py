"""What tracing costs the traced program: nanoseconds per openat(2) by the program's own clock, with and without the tracer,
beside the peer and hand-written libbpf programs on the same tracepoint (floor) and on the raw one (floor raw)."""

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
# Case, script, the floor's program.
CASES = [
    ("openat counted by comm", AT + " { @[comm] = count(); }", "count_by_comm"),
    ("openat printf path", AT + ' { printf("%d %s %s\\n", pid, comm, str(args.filename)); }', "printf_path"),
    ("@[str(args.filename)] = count()", AT + " { @[str(args.filename)] = count(); }", "count_by_path"),
    ("@ = count()", AT + " { @ = count(); }", "count"),
    ("@x++", AT + " { @x++; }", "increment"),
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

    def time_per_run(self) -> float | None:
        """Nanoseconds per run of the program that ran most, by the kernel's statistics, as its descriptor shows them."""
        best = (0, None)
        for path in pathlib.Path(f"/proc/{self.process.pid}/fdinfo").iterdir():
            fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
            runs = int(fields.get("run_cnt", 0))
            if runs > best[0]:
                best = (runs, int(fields["run_time_ns"]) / runs)
        return best[1]


def _loop(floor: Floor, calls: int) -> float:
    shown = subprocess.run([floor.openat_loop, "20", str(calls // 20), PATH], capture_output=True, text=True, check=True).stdout
    return float(shown)


def kernel_time(floor: Floor, command: list[str], calls: int) -> float | None:
    """Nanoseconds per run of the programs themselves, by the kernel's statistics: a run of its own, since they cost too."""
    with open(STATS, "w", encoding="ascii") as stats:
        stats.write("1")
    try:
        with Attached(command) as tracer:
            if not tracer.ready:
                return None
            _loop(floor, calls)
            return tracer.time_per_run()
    finally:
        with open(STATS, "w", encoding="ascii") as stats:
            stats.write("0")


def run(contestants: list[Contestant], floor: Floor, runs: int, calls: int = 200_000) -> Table:
    names = [who.name for who in contestants]
    table = Table("overhead", [*names, "floor", "floor raw"])
    for case, script, program in CASES:
        commands = {who.name: who.script(script, "-q") for who in contestants}
        commands |= {"floor": floor.command(program), "floor raw": floor.command(program + "_raw")}
        slowdown: dict[str, list[float]] = {who: [] for who in commands}
        lost = dict.fromkeys(commands, 0)
        for _ in range(runs):
            for who, command in commands.items():
                without = _loop(floor, calls)
                with Attached(command) as tracer:
                    if tracer.ready:
                        slowdown[who].append(_loop(floor, calls) - without)
                lost[who] += tracer.lost
        note = ", ".join(f"{who} lost {count / (calls * runs):.1%}" for who, count in lost.items() if count)
        table.add(f"{case}: slowdown", "ns/call", slowdown, note)
        kernel = {who: kernel_time(floor, command, calls) for who, command in commands.items()}
        table.add(f"{case}: in the kernel", "ns/run", {who: [time] for who, time in kernel.items() if time})
    return table
