#!/usr/bin/env python3
"""The test run behind `./dev test`: lint, unit and golden tests, live tests on this kernel, the README's examples.

It closes with `N passed, N failed, N skipped`. The build must be current (./dev sees to it).
"""

import argparse
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import guest_lane  # noqa: E402  (after the path is set)
import lint  # noqa: E402
import live  # noqa: E402
import lowering  # noqa: E402
import mutations  # noqa: E402
import printing  # noqa: E402
import readme  # noqa: E402
import self_test  # noqa: E402
import tools  # noqa: E402
import unit  # noqa: E402
from harness import Report  # noqa: E402


LAYERS = ["lint", "unit", "printing", "live", "mutations", "lowering", "readme", "tools"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="the build folder")
    parser.add_argument("--only", default="", help="just the tests with this text in their name")
    parser.add_argument("--layer", choices=LAYERS, action="append", help="just this layer")
    parser.add_argument("--update", action="store_true", help="rewrite the goldens")
    parser.add_argument("--kernel", choices=["this", *guest_lane.NAMES, "all", "none"], action="append",
                        help="where live tests run: here (the default), in guests, or all; none: leave out what needs a kernel")
    parser.add_argument("--peer", action="store_true", help="run the live tests against bpftrace")
    parser.add_argument("--full", action="store_true", help="clang-tidy on every file")
    return parser.parse_args()


def kernels(options: argparse.Namespace) -> tuple[bool, list[str]]:
    """Whether this machine's kernel takes part, and the guests that do."""
    names = set(options.kernel or ["this"])
    if "all" in names:
        names |= {"this", *guest_lane.NAMES}
    return "this" in names, [name for name in guest_lane.NAMES if name in names]


@contextlib.contextmanager
def machine_alone():
    """Live tests count what the whole machine does and their triggers have the same names: one run at a time."""
    with open("/run/lock/kawk-live.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def live_layers(report: Report, options: argparse.Namespace, build: pathlib.Path, peer: str | None) -> None:
    """The live tests on every chosen kernel, of kawk or of the peer."""
    here, guests = kernels(options)
    against = " against the peer" if peer else ""
    if here:
        runner = live.Runner(peer or str(build / "kawk"), build / "tests" / "triggers", is_peer=bool(peer))
        with machine_alone():
            report.layer(f"live tests{against}", live.outcomes(ROOT / "tests" / "live", runner, options.only))
    if guests:
        outcomes = guest_lane.outcomes(guests, build, options.only, pathlib.Path(peer) if peer else None)
        report.layer(f"live tests on Linux {', '.join(guests)}{against}", outcomes)


def main() -> int:
    # As Ctrl-C: what is under way is taken down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = arguments()
    build = options.build.resolve()
    report = Report()
    if options.peer:
        named = os.environ.get("KAWK_PEER", "bpftrace")
        # A guest can also take the peer out of a folder with a whole system, for chroot.
        peer = named if pathlib.Path(named).is_dir() else shutil.which(named)
        if not peer:
            print("no peer here: set KAWK_PEER to a bpftrace, or put one into PATH")
            return 1
        live_layers(report, options, build, peer)
        return report.finish()
    layers = options.layer or LAYERS
    if options.kernel == ["none"]:
        layers = [layer for layer in layers if layer in ("lint", "unit")]
    if "lint" in layers and not options.update:
        report.layer("lint", lint.outcomes(ROOT, build, options.only, options.full))
    if "unit" in layers:
        report.layer("unit and golden tests", unit.outcomes(build, options.only, options.update))
        report.layer("tests of the test run", self_test.outcomes(options.only))
    if "printing" in layers and kernels(options)[0]:
        report.layer("printing", printing.outcomes(ROOT / "tests" / "printing", build, options.only, options.update))
    if "live" in layers and not options.update:
        live_layers(report, options, build, None)
    if "lowering" in layers and not options.update and kernels(options)[0]:
        with machine_alone():
            report.layer("raw tracepoints against records", lowering.outcomes(ROOT, build, options.only))
    if "mutations" in layers and not options.update and kernels(options)[0]:
        report.layer("mutated scripts", mutations.outcomes(str(build / "kawk"), ROOT / "tests" / "live", options.only))
    if "readme" in layers and not options.update and kernels(options)[0]:
        report.layer("README examples", readme.outcomes(ROOT / "README.md", str(build / "kawk"), options.only))
    if "tools" in layers and not options.update and kernels(options)[0]:
        report.layer("bpftrace's tools", tools.outcomes(str(build / "kawk"), options.only))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
