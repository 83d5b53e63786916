"""The goals of the project, each a case of a benchmark and the largest ratio allowed, beside the results that are kept."""

import dataclasses
import json
import pathlib

from figures import ratio, shown


@dataclasses.dataclass
class Goal:
    """`most` is the largest ratio of kawk to the peer; `floor`: which C program it must not exceed, and by how much it may."""

    benchmark: str
    case: str
    most: float | None
    floor: str = ""
    floor_most: float = 1.0


GOALS = [
    Goal("start", "BEGIN { exit(); }: wall", 1 / 16),
    Goal("start", "BEGIN { exit(); }: cpu", 1 / 10),
    Goal("start", "BEGIN { exit(); }: peak memory", 1 / 5),
    *[Goal("start", f"{tool}.bt, dry run: wall", 1 / 10) for tool in ("opensnoop", "execsnoop", "biolatency", "runqlat")],
    Goal("bulk", "a probe on every system call, start to end: wall", 1 / 100),
    Goal("overhead", "openat counted by comm: slowdown", 0.5, "floor"),
    Goal("output", "openat printf path and comm, 1 M in a loop: in the kernel", 0.55),
    Goal("overhead", "@[str(args.filename)] = count(): slowdown", 0.4),
    Goal("overhead", "start, delta, hist, delete: slowdown", 0.6),
    Goal("overhead", "@[kstack] = count(): slowdown", 0.95, "floor", 1.05),
    Goal("overhead", "@ = count(): slowdown", 0.6),
    Goal("overhead", "@x++: slowdown", 0.6),
    Goal("overhead", "@[cpu] = sum(n): slowdown", 0.6),
    Goal("overhead", "uprobe count: slowdown", 1.0, "floor", 1.05),
    Goal("overhead", "uretprobe hist: slowdown", 1.0, "floor", 1.05),
    Goal("overhead", "USDT sum: slowdown", 1.0, "floor", 1.05),
    Goal("bulk", "printing a map of a million keys: wall", 0.3),
    Goal("bulk", "symbolizing and printing 10k distinct stacks: cpu", 0.3),
    Goal("bulk", "-l of everything: wall", 0.5),
    Goal("start", "on disk: binary and non-libc libraries", 1 / 8),
]


def _row(folder: pathlib.Path, goal: Goal) -> dict:
    path = folder / f"{goal.benchmark}.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    return next((row for row in rows if row["case"] == goal.case), {"unit": ""})


def _line(folder: pathlib.Path, goal: Goal) -> list[str]:
    row = _row(folder, goal)
    floor = row.get(goal.floor or "floor")
    to_peer, to_floor = ratio(row.get("kawk"), row.get("peer")), ratio(row.get("kawk"), row.get(goal.floor))
    wanted = [f"≤ {goal.most:.3g}"] if goal.most else []
    checks = [to_peer is not None and to_peer <= goal.most] if goal.most else []
    if goal.floor:
        wanted.append(f"≤ {goal.floor_most:.3g} of C")
        checks.append(to_floor is not None and to_floor <= goal.floor_most)
    measured = to_peer is not None
    return [f"{goal.benchmark}: {goal.case}", row["unit"], shown(row.get("kawk")), shown(row.get("peer")), shown(floor),
            "-" if to_peer is None else f"{to_peer:.4f}", ", ".join(wanted),
            ("met" if all(checks) else "NOT MET") if measured else "not measured"]


def print_table(folder: pathlib.Path) -> None:
    lines = [["goal", "unit", "kawk", "peer", "C", "kawk/peer", "wanted", ""], *[_line(folder, goal) for goal in GOALS]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    print("\ngoals")
    for line in lines:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
