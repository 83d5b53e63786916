"""What a start costs: the whole process from its start to its end, beside the peer and a C program that loads and attaches one
program; and the size on disk. The first round fills kawk's compile cache; `kawk, no cache` compiles each time."""

import pathlib
import subprocess
import typing

from contestants import Contestant, Floor, peer_tool
from figures import Table

OPENAT = 'tracepoint:syscalls:sys_enter_openat { printf("%d %s %s\\n", pid, comm, str(args.filename)); }'
COUNT = "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }"
LATENCY = (
    "tracepoint:syscalls:sys_enter_nanosleep { @start[tid] = nsecs; } "
    "tracepoint:syscalls:sys_exit_nanosleep /@start[tid]/ { @us = hist((nsecs - @start[tid]) / 1000); delete(@start, tid); }"
)
# Case, script, flags. The first is the process frame; the others load their programs and stop.
CASES = [
    ("BEGIN { exit(); }", "BEGIN { exit(); }", []),
    ("hello", 'BEGIN { printf("hello\\n"); exit(); }', []),
    ("openat one-liner, dry run", OPENAT, ["--dry-run"]),
    ("count by comm, dry run", COUNT, ["--dry-run"]),
    ("latency hist, dry run", LATENCY, ["--dry-run"]),
]
COLD = "kawk, no cache"
TOOLS = ["opensnoop.bt", "execsnoop.bt", "biolatency.bt", "runqlat.bt"]


def measure(floor: Floor, command: list[str], given: typing.IO | int = subprocess.DEVNULL,
            seconds: float | None = None) -> tuple[float, float, float] | None:
    """Wall ms, CPU ms and peak MiB of a command with the standard input `given`; None where it failed."""
    done = subprocess.run(["timeout", str(seconds or 0), floor.measure, *command], stdin=given, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if done.returncode != 0:
        return None
    status, wall, cpu, peak = done.stderr.strip().split("\n")[-1].split()
    return None if status != "0" else (int(wall) / 1000, int(cpu) / 1000, int(peak) / 1024)


def _rounds(table: Table, floor: Floor, case: str, commands: dict[str, list[str]], runs: int) -> None:
    """Measures the commands in turn, so that a busy moment of the machine hits them all."""
    samples: dict[str, list] = {who: [] for who in commands}
    for run in range(runs + 1):
        for who, command in commands.items():
            figures = measure(floor, command)
            if figures and run > 0:  # the first round warms the caches
                samples[who].append(figures)
    failed = ", ".join(f"{who} fails" for who, found in samples.items() if not found)
    columns = [("wall", "ms"), ("cpu", "ms"), ("peak memory", "MiB")]
    for column, (what, unit) in enumerate(columns):
        values = {who: [figures[column] for figures in found] for who, found in samples.items()}
        table.add(f"{case}: {what}", unit, values, failed)


def _sizes(table: Table, contestants: list[Contestant]) -> None:
    sizes = {who.name: [sum(path.stat().st_size for path in who.files()) / 1e6] for who in contestants}
    table.add("on disk: binary and non-libc libraries", "MB", sizes)


def run(contestants: list[Contestant], floor: Floor, runs: int) -> Table:
    table = Table("start", [who.name for who in contestants] + [COLD, "floor"])
    for case, script, flags in CASES:
        commands = {who.name: who.script(script, *flags) for who in contestants}
        commands[COLD] = contestants[0].script(script, "--no-cache", *flags)
        if case == CASES[0][0]:
            commands["floor"] = floor.command("start")
        _rounds(table, floor, case, commands, runs)
    peer = next((who for who in contestants if who.name == "peer"), None)
    for tool in TOOLS:
        if not peer or not (path := peer_tool(peer, tool)):
            continue
        commands = {who.name: [*who.command, "--dry-run", _as_seen_by(who, path)] for who in contestants}
        commands[COLD] = [*contestants[0].command, "--no-cache", "--dry-run", str(path)]
        _rounds(table, floor, f"{tool}, dry run", commands, max(3, runs // 3))
    _sizes(table, contestants)
    return table


def _as_seen_by(who: Contestant, path: pathlib.Path) -> str:
    inside = path.is_relative_to(who.root) and who.root != pathlib.Path("/")
    return f"/{path.relative_to(who.root)}" if inside else str(path)
