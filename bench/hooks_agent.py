"""Runs inside a guest, as text behind `python3 -c`: measures hooks on a kernel function, each tracer in turn, and prints JSON.
ROUNDS, TURNS and CASES (name to the command of each tracer) are put in front of it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

READY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
TRIGGER = ["/kawk/triggers/t_openat", str(TURNS), "/dev/null"]  # noqa: F821


def turns() -> float:
    """Nanoseconds of CPU time per turn of the trigger."""
    before = os.times()
    subprocess.run(TRIGGER, check=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return spent * 1e9 / TURNS  # noqa: F821


def run_time(process: subprocess.Popen) -> tuple[int, int]:
    """Nanoseconds and runs of all programs that the tracer holds."""
    total, runs = 0, 0
    for path in pathlib.Path(f"/proc/{process.pid}/fdinfo").iterdir():
        fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        total += int(fields.get("run_time_ns", 0))
        runs += int(fields.get("run_cnt", 0))
    return total, runs


def measure(command: list[str]) -> tuple[float, float] | None:
    """Slowdown per turn, and the kernel's own time per run."""
    without = turns()
    out = open("/tmp/out", "wb+")
    process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {READY: "1"})
    deadline = time.monotonic() + 120
    while READY.encode() not in pathlib.Path("/tmp/out").read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            print(pathlib.Path("/tmp/out").read_text(errors="replace"), file=sys.stderr)
            return None
        time.sleep(0.1)
    slowdown = turns() - without
    stats = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
    stats.write_text("1")
    before = run_time(process)
    turns()
    after = run_time(process)
    stats.write_text("0")
    process.send_signal(signal.SIGINT)
    process.wait()
    return slowdown, (after[0] - before[0]) / max(1, after[1] - before[1])


found = {case: {who: [] for who in commands} for case, commands in CASES.items()}  # noqa: F821
for _ in range(ROUNDS):  # noqa: F821
    for case, commands in CASES.items():  # noqa: F821
        for who, command in commands.items():
            if figures := measure(command):
                found[case][who].append(figures)
print("RESULT " + json.dumps(found))
