"""Holds every row of stdlib/raw_fields.def against the record of its tracepoint: two tracers at once, one with
lower_tracepoints and one without, must see the same fields in the same events of the same workload."""

import collections
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import live
import machine
from harness import FAILED, PASSED, SKIPPED, Outcome

ROW = re.compile(r'^RAW_FIELD\("([^"]+)",\s*"([^"]+)"', re.MULTILINE)
TRIGGER = "t_lowering"
# These happen in other tasks: all are compared, from the first that both tracers saw.
AMBIENT = {"sched_process_free", "block_rq_complete", "block_bio_complete", "workqueue_activate_work", "workqueue_execute_start",
           "workqueue_execute_end", "irq_handler_entry", "irq_handler_exit", "napi_poll", "cpu_idle"}
SECONDS = 30


@dataclasses.dataclass
class Event:
    """A tracepoint and those of its fields that are in the table and on this kernel."""

    category: str
    name: str
    fields: list[tuple[str, str]]  # name and conversion

    @property
    def full(self) -> str:
        return f"{self.category}:{self.name}"

    def probe(self, number: int) -> str:
        shown = "|".join(["%d", "%d", *[conversion for _, conversion in self.fields]])
        values = ", ".join(_value(name, conversion) for name, conversion in self.fields)
        which = "" if self.name in AMBIENT else f'/comm == "{TRIGGER}"/ '
        return f'tracepoint:{self.full} {which}{{ printf("{shown}\\n", {number}, cpu, {values}); }}'


def _value(name: str, conversion: str) -> str:
    return f"args.{name}" if conversion != "%r" else f"buf(args.{name}, 4)"


def _conversion(declaration: str) -> str:
    """How printf shows a field that the format file declares so."""
    if "char" in declaration and "[" in declaration:
        return "%s"
    return "%r" if "[" in declaration else "%lld"


def events(table: pathlib.Path, tracefs: pathlib.Path = pathlib.Path("/sys/kernel/tracing")) -> list[Event]:
    """The rows by event, in the order of the table."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for names, field in ROW.findall(table.read_text()):
        category, _, rest = names.partition(":")
        for name in rest.split(","):
            wanted.setdefault((category, name), []).append(field)
    found = []
    for (category, name), fields in wanted.items():
        path = tracefs / "events" / category / name / "format"
        declared = re.findall(r"\tfield:([^;]*);", path.read_text()) if path.exists() else []
        by_name = {re.sub(r"\[.*", "", text.split()[-1]).lstrip("*"): text for text in declared}
        have = [(field, _conversion(by_name[field])) for field in fields if field in by_name]
        if have:
            found.append(Event(category, name, have))
    return found


def _same(ours: list[str], theirs: list[str]) -> bool:
    """Whether two lists are the same where they overlap, one having begun earlier and one having ended later."""
    for first, second in ((ours, theirs), (theirs, ours)):
        for shift in range(len(first)):
            both = min(len(first) - shift, len(second))
            if 2 * both >= min(len(first), len(second)) and first[shift:shift + both] == second[:both]:
                return True
    return not ours or not theirs


def _difference(event: Event, number: int, ours: list[str], theirs: list[str], lost: int) -> str | None:
    """What differs between the two tracers' lines of an event; None: nothing. A program that meets another on its CPU is
    skipped by the kernel: as many lines as were lost may be missing."""
    prefix = f"{number}|"
    sides = [[line[len(prefix):] for line in side if line.startswith(prefix)] for side in (ours, theirs)]
    for cpu in sorted({line.split("|")[0] for side in sides for line in side}):
        one, other = ([line for line in side if line.split("|")[0] == cpu] for side in sides)
        same = _same(one, other) if event.name in AMBIENT else one == other
        missing = collections.Counter(one)
        missing.subtract(other)
        if not same and sum(map(abs, missing.values())) > lost:
            pairs = [f"  raw {a}\n  record {b}" for a, b in zip(one, other) if a != b][:5]
            return f"{event.full} on CPU {cpu}: {len(one)} and {len(other)} events\n" + "\n".join(pairs)
    return None


def _trace(kawk: str, trigger: pathlib.Path, group: list[Event], folder: str) -> tuple[list[list[str]], list[str], int]:
    """The output of both tracers over one workload, what the lowering one said, and how many events were lost."""
    script = " ".join(event.probe(number) for number, event in enumerate(group))
    tracers = [live.Tracer([kawk, "-v", "-e", config + script], os.environ | {live.READY: "1"}, None, folder)
               for config in ("", "config = { lower_tracepoints = false } ")]
    for tracer in tracers:
        tracer.wait_ready(SECONDS)
    subprocess.run([str(trigger), folder], check=False, timeout=SECONDS)
    for tracer in tracers:
        if tracer.process.poll() is None:
            tracer.process.send_signal(signal.SIGINT)
    for tracer in tracers:
        if tracer.wait(SECONDS) != 0:
            raise RuntimeError("\n".join(tracer.errors))
    errors = "\n".join(line for tracer in tracers for line in tracer.errors)
    lost = sum(map(int, re.findall(r"lost event count: (\d+)", errors)))
    return [tracer.lines for tracer in tracers], tracers[0].errors, lost


def _compare(kawk: str, trigger: pathlib.Path, group: list[Event]) -> tuple[str, str]:
    """A status and its detail for the events of one category."""
    with tempfile.TemporaryDirectory(prefix="kawk-lowering-") as folder:
        try:
            (ours, theirs), notes, lost = _trace(kawk, trigger, group, folder)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return FAILED, str(error)
    wrong, seen = [], 0
    for number, event in enumerate(group):
        seen += any(line.startswith(f"{number}|") for line in ours)
        if not any(f"tracepoint:{event.full}: by " in note for note in notes):
            wrong.append("not lowered: " + "".join(note for note in notes if f"tracepoint:{event.full}:" in note))
        if difference := _difference(event, number, ours, theirs, lost):
            wrong.append(difference)
    if wrong:
        return FAILED, "\n".join(wrong)
    return (PASSED, f"{seen} of {len(group)} events seen") if seen else (SKIPPED, "none of its events came")


def outcomes(root: pathlib.Path, build: pathlib.Path, only: str):
    """One outcome per category of tracepoints."""
    groups: dict[str, list[Event]] = {}
    for event in events(root / "stdlib" / "raw_fields.def"):
        groups.setdefault(event.category, []).append(event)
    for category, group in groups.items():
        name = f"lowering/{category}"
        if only not in name:
            continue
        if reason := machine.missing(f"tracepoint {group[0].full}", is_peer=False):
            yield Outcome(name, SKIPPED, reason)
            continue
        status, detail = _compare(str(build / "kawk"), build / "tests" / "triggers" / TRIGGER, group)
        yield Outcome(name, status, detail)
