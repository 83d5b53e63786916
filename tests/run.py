#!/usr/bin/env python3
"""The test run behind `./dev test`: lint, unit and golden tests, live tests on this kernel, the README's examples.

It closes with `N passed, N failed, N skipped`. The build must be current (./dev sees to it).
"""

import argparse
import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import lint  # noqa: E402  (after the path is set)
import live  # noqa: E402
import readme  # noqa: E402
import unit  # noqa: E402
from harness import Report  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="the build folder")
    parser.add_argument("--only", default="", help="just the tests with this text in their name")
    parser.add_argument("--layer", choices=["lint", "unit", "live", "readme"], action="append", help="just this layer")
    parser.add_argument("--update", action="store_true", help="rewrite the goldens")
    parser.add_argument("--kernel", default="this", choices=["this", "none"], help="none: leave out what needs a kernel")
    parser.add_argument("--peer", action="store_true", help="run the live tests against bpftrace")
    parser.add_argument("--full", action="store_true", help="clang-tidy on every file")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    build = options.build.resolve()
    kawk = str(build / "kawk")
    report = Report()
    if options.peer:
        peer = shutil.which(os.environ.get("KAWK_PEER", "bpftrace"))
        if not peer:
            print("no peer here: set KAWK_PEER to a bpftrace, or put one into PATH")
            return 1
        runner = live.Runner(peer, build / "tests" / "triggers", is_peer=True)
        report.layer("live tests against the peer", live.outcomes(ROOT / "tests" / "live", runner, options.only))
        return report.finish()
    layers = options.layer or ["lint", "unit", "live", "readme"]
    if options.kernel == "none":
        layers = [layer for layer in layers if layer in ("lint", "unit")]
    if "lint" in layers and not options.update:
        report.layer("lint", lint.outcomes(ROOT, build, options.only, options.full))
    if "unit" in layers:
        report.layer("unit and golden tests", unit.outcomes(build, options.only, options.update))
    if "live" in layers and not options.update:
        runner = live.Runner(kawk, build / "tests" / "triggers")
        report.layer("live tests", live.outcomes(ROOT / "tests" / "live", runner, options.only))
    if "readme" in layers and not options.update:
        report.layer("README examples", readme.outcomes(ROOT / "README.md", kawk, options.only))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
