#!/usr/bin/env python3
"""Benchmarks in pairs and in turn: kawk, the peer (bpftrace, where KAWK_PEER or PATH has one) and C floors."""

import argparse
import os
import pathlib
import subprocess
import sys

import attach
import bulk
import contestants
import goals
import growth
import hooks
import output
import overhead
import start
import verifier

HERE = pathlib.Path(__file__).resolve().parent
# Name, module, runs of each case.
BENCHMARKS = {"start": (start, 15), "overhead": (overhead, 5), "output": (output, 3), "bulk": (bulk, 5), "growth": (growth, 3),
              "hooks": (hooks, 5), "verifier": (verifier, 1), "attach": (attach, 5)}


def works(who: contestants.Contestant) -> bool:
    """A tracer that fails is fast: it must say hello before its time counts."""
    shown = subprocess.run(who.script('BEGIN { printf("hello\\n"); exit(); }'), capture_output=True, text=True, check=False)
    return "hello" in shown.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kawk", default=str(HERE.parent / "build" / "kawk"))
    parser.add_argument("--runs", type=int, help="rounds, instead of each benchmark's own number")
    parser.add_argument("--no-save", action="store_true", help="leave bench/results/ as it is")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; default all")
    parser.add_argument("--goals", action="store_true", help="measure nothing: print the goals beside the results that are kept")
    options = parser.parse_args()
    if options.goals:
        goals.print_table(HERE / "results")
        return 0
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark `{unknown[0]}`; there are {', '.join(BENCHMARKS)}")
    if os.geteuid() != 0:
        parser.error("needs root")
    kawk, peer = contestants.kawk(options.kawk), contestants.peer()
    if not peer:
        print("no peer here (KAWK_PEER, or bpftrace in PATH): measuring the rest")
    measured = [kawk, peer] if peer else [kawk]
    for who in measured:
        if not works(who):
            print(f"{who.name} ({' '.join(who.command)}) does not run here", file=sys.stderr)
            return 1
    floor = contestants.Floor(kawk.binary.parent / "bench")
    versions = {who.name: who.version() for who in measured}
    for name in options.names or BENCHMARKS:
        module, runs = BENCHMARKS[name]
        table = module.run(measured, floor, options.runs or runs)
        table.print()
        if not options.no_save:
            table.save(HERE / "results", versions)
    goals.print_table(HERE / "results")
    return 0


if __name__ == "__main__":
    sys.exit(main())
