"""What is large at once: printing a map of a million keys, symbolizing 10,000 distinct stacks, listing all probes, a probe on
every system call from start to end; and what a tracer holds in memory while it waits."""

import contextlib
import mmap
import os
import pathlib
import signal
import subprocess
import time

from contestants import Contestant, Floor
from figures import Table
from overhead import Attached
from start import measure

KEYS = "config = { max_map_keys = 1100000 } BEGIN { for ($i : 0..1000000) { @[$i] = $i; } PRINT exit(); } END { clear(@); }"
STACKS = "uprobe:{stacks}:leaf { @[ustack] = count(); }"
STACK_CALLS = 10_000
WILDCARD = "tracepoint:syscalls:sys_enter_* { @[probe] = count(); }"
WAITING = "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }"


def _add(table: Table, case: str, samples: dict[str, list[tuple[float, float, float]]], scale: float, unit: str) -> None:
    table.add(f"{case}: wall", unit, {who: [figures[0] / scale for figures in found] for who, found in samples.items()})
    table.add(f"{case}: cpu", unit, {who: [figures[1] / scale for figures in found] for who, found in samples.items()})


def _in_turn(floor: Floor, commands: dict[str, list[str]], runs: int) -> dict[str, list[tuple[float, float, float]]]:
    samples: dict[str, list] = {who: [] for who in commands}
    for _ in range(runs):
        for who, command in commands.items():
            if figures := measure(floor, command):
                samples[who].append(figures)
    return samples


def _keys(table: Table, contestants: list[Contestant], floor: Floor, runs: int) -> None:
    """Printing alone: the same script with and without `print(@)`, in turn."""
    printed, filled = (
        _in_turn(floor, {who.name: who.script(KEYS.replace("PRINT", text), "-q") for who in contestants}, runs)
        for text in ("print(@);", ""))
    case = "printing a map of a million keys"
    _add(table, f"{case}, with filling it", printed, 1000, "s")
    for column, what in ((0, "wall"), (1, "cpu")):
        table.add(f"{case}: {what}", "s", {
            who: [(a[column] - b[column]) / 1000 for a, b in zip(printed[who], filled[who])] for who in printed})
    table.add(f"{case}: peak memory", "MiB", {who: [figures[2] for figures in found] for who, found in printed.items()})


class Timed(Attached):
    """A tracer whose end is timed."""

    def leave(self) -> tuple[float, float]:
        """Seconds from Ctrl-C to its end, and of CPU meanwhile."""
        ticks = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        _, _, usage = os.wait4(self.process.pid, 0)
        seconds = time.monotonic() - start
        return seconds, usage.ru_utime + usage.ru_stime - sum(int(tick) for tick in ticks) / os.sysconf("SC_CLK_TCK")


def _stacks(table: Table, contestants: list[Contestant], floor: Floor, runs: int) -> None:
    """From Ctrl-C to the end of a tracer that holds 10,000 distinct user stacks."""
    cpu: dict[str, list[float]] = {who.name: [] for who in contestants}
    wall: dict[str, list[float]] = {who.name: [] for who in contestants}
    notes = []
    for run in range(runs):
        for who in contestants:
            script = STACKS.replace("{stacks}", str(floor.stacks))
            with Timed(who.script("config = { max_map_keys = 20000 } " + script, "-q")) as tracer, subprocess.Popen(
                    [floor.stacks, str(STACK_CALLS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as traced:
                traced.stdout.readline()
                for samples, figure in zip((wall, cpu), tracer.leave()):
                    samples[who.name].append(figure)
                if run == 0:
                    lines = tracer.files[0].read_text(errors="replace").count("leaf")
                    notes.append(f"{who.name} names {lines} leaves")
    table.add("symbolizing and printing 10k distinct stacks: Ctrl-C to the prompt", "s", wall, ", ".join(notes))
    table.add("symbolizing and printing 10k distinct stacks: cpu", "s", cpu)


def _waiting(table: Table, contestants: list[Contestant], runs: int) -> None:
    resident: dict[str, list[float]] = {who.name: [] for who in contestants}
    for _ in range(runs):
        for who in contestants:
            with Attached(who.script(WAITING, "-q")) as tracer, contextlib.suppress(FileNotFoundError):
                pages = int(pathlib.Path(f"/proc/{tracer.process.pid}/statm").read_text().split()[1])
                resident[who.name].append(pages * mmap.PAGESIZE / 2**20)
    table.add("resident while tracing openat by comm", "MiB", resident)


def run(contestants: list[Contestant], floor: Floor, runs: int) -> Table:
    table = Table("bulk", [who.name for who in contestants])
    _keys(table, contestants, floor, runs)
    _stacks(table, contestants, floor, runs)
    listing = _in_turn(floor, {who.name: [*who.command, "-l"] for who in contestants}, 3 * runs)
    _add(table, "-l of everything", listing, 1, "ms")
    wildcard = {who.name: who.script("BEGIN { exit(); } " + WILDCARD) for who in contestants}
    _add(table, "a probe on every system call, start to end", _in_turn(floor, wildcard, max(2, runs // 2)), 1000, "s")
    _waiting(table, contestants, runs)
    return table
