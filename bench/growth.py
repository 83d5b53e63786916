"""How start time and memory grow with a script, beside the peer: probes, statements of one action, map keys, events a second.
Each curve is the figures at ten times, a hundred times, … the first; `exponent` is the slope from the first to the last, on
a log-log scale, of what a case costs beyond the smallest one: 1 is linear, 2 quadratic."""

import dataclasses
import math
import pathlib
import statistics
import subprocess
import tempfile
import typing

from contestants import Contestant, Floor
from figures import Table
from output import PATH, PRINTF, count_lines, cpu_seconds, rss, settle
from overhead import Attached
from start import measure

MANY = "config = { max_probes = 100000; max_bpf_progs = 100000; max_map_keys = 1100000 }\n"


def _probes(count: int) -> str:
    return "\n".join(f"interval:ms:{1000 + i} {{ @[{i}] = count(); }}" for i in range(count))


def _tracepoints(count: int) -> str:
    return "\n".join(f"tracepoint:raw_syscalls:sys_enter /pid == {10_000_000 + i}/ {{ @ = count(); }}" for i in range(count))


def _assignments(count: int) -> str:
    return "BEGIN { " + "\n".join(f"@a{i % 50} = {i};" for i in range(count)) + " exit(); }"


def _variables(count: int) -> str:
    return "BEGIN { " + "\n".join(f"$v{i % 40} = nsecs + {i};" for i in range(count)) + " exit(); }"


def _prints(count: int) -> str:
    return "BEGIN { " + "\n".join(f'printf("%d\\n", {i});' for i in range(count)) + " exit(); }"


def _branches(count: int) -> str:
    return "BEGIN { " + "\n".join(f"if (pid == {i}) {{ @x = {i}; }}" for i in range(count)) + " exit(); }"


def _keys(count: int) -> str:
    return f"BEGIN {{ for ($i : 0..{count}) {{ @[$i] = $i; }} exit(); }}"


@dataclasses.dataclass
class Curve:
    name: str
    script: typing.Callable[[int], str]
    sizes: list[int]
    flags: list[str]


CURVES = [
    Curve("interval probes", _probes, [1, 10, 100, 1000], ["--dry-run"]),
    Curve("tracepoint probes", _tracepoints, [1, 10, 100, 1000], ["--dry-run"]),
    Curve("assignments to maps in one action", _assignments, [10, 100, 1000, 10000], ["--dry-run"]),
    Curve("assignments to variables in one action", _variables, [10, 100, 1000, 10000], ["--dry-run"]),
    Curve("printf in one action", _prints, [10, 100, 1000], ["--dry-run"]),
    Curve("if in one action", _branches, [10, 100, 1000], ["--dry-run"]),
    Curve("map keys, filled and printed", _keys, [1_000, 10_000, 100_000, 1_000_000], ["-q"]),
]
RATES = [10_000, 100_000, 1_000_000]
SLOW = 120  # seconds; a case that takes longer is not tried larger


def exponent(sizes: list[int], values: list[float]) -> float | None:
    """The slope between the first two and the last size that worked, of what grows."""
    if len(values) < 3:
        return None
    grown = [max(value - values[0], 0) for value in values[1:]]
    if grown[-2] <= 0 or grown[-1] <= 0:
        return None
    return math.log(grown[-1] / grown[-2]) / math.log(sizes[len(values) - 1] / sizes[len(values) - 2])


def run(contestants: list[Contestant], floor: Floor, runs: int) -> Table:
    table = Table("growth", [who.name for who in contestants])
    with tempfile.TemporaryDirectory(prefix="kawk-bench-") as folder:
        for curve in CURVES:
            _curve(table, curve, contestants, floor, runs, pathlib.Path(folder))
    _rates(table, contestants, floor, runs)
    return table


def _rates(table: Table, contestants: list[Contestant], floor: Floor, runs: int) -> None:
    """What an event costs the tracer's process, and how many are lost, by events a second."""
    for rate in RATES:
        cpu: dict[str, list[float]] = {who.name: [] for who in contestants}
        lost: dict[str, list[float]] = {who.name: [] for who in contestants}
        resident: dict[str, list[float]] = {who.name: [] for who in contestants}
        for _ in range(runs):
            for who in contestants:
                with Attached(who.script(PRINTF, "-q")) as tracer:
                    before = sum(cpu_seconds(tracer.process.pid))
                    done = subprocess.run([floor.paced, str(rate), "1", PATH], capture_output=True, text=True, check=True)
                    settle(tracer.files[0])
                    events = int(done.stdout)
                    resident[who.name].append(rss(tracer.process.pid) / 2**20)
                    cpu[who.name].append((sum(cpu_seconds(tracer.process.pid)) - before) / events * 1e9)
                    lost[who.name].append((events - count_lines(tracer.files[0])) / events * 100)
        table.add(f"{rate:,} events a second, printf: user and system CPU of the tracer", "ns/event", cpu)
        table.add(f"{rate:,} events a second, printf: lost", "%", lost)
        table.add(f"{rate:,} events a second, printf: resident", "MiB", resident)


def _curve(table: Table, curve: Curve, contestants: list[Contestant], floor: Floor, runs: int, folder: pathlib.Path) -> None:
    medians: dict[str, list[float]] = {who.name: [] for who in contestants}
    for size in curve.sizes:
        file = folder / "script.bt"
        file.write_text(MANY + curve.script(size))
        samples: dict[str, list] = {who.name: [] for who in contestants}
        for _ in range(runs if size < curve.sizes[-1] else 1):
            for who in contestants:
                if len(medians[who.name]) == curve.sizes.index(size) and (figures := _measure(floor, who, curve, file)):
                    samples[who.name].append(figures)
        failed = ", ".join(f"{who} fails or takes over {SLOW} s" for who, found in samples.items() if not found)
        case = f"{size:,} {curve.name}"
        table.add(f"{case}: cpu", "ms", {who: [f[1] for f in found] for who, found in samples.items()}, failed)
        table.add(f"{case}: peak memory", "MiB", {who: [f[2] for f in found] for who, found in samples.items()})
        for who, found in samples.items():
            if found:
                medians[who].append(statistics.median(f[1] for f in found))
    table.add(f"{curve.name}: exponent of the last step", "", {
        who: [slope] for who, values in medians.items() if (slope := exponent(curve.sizes, values)) is not None})


def _measure(floor: Floor, who: Contestant, curve: Curve, file: pathlib.Path) -> tuple[float, float, float] | None:
    flags = [*curve.flags, *(["--no-cache"] if who.name == "kawk" else [])]
    # The peer may live in a folder of its own, and reads standard input everywhere.
    try:
        with file.open("rb") as script:
            return measure(floor, [*who.command, *flags, "-"], script, SLOW)
    except subprocess.TimeoutExpired:
        return None
