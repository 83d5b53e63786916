"""How long attaching takes beside the peer: user functions and USDT here, kernel functions in a guest (KAWK_BENCH_KERNEL: 6.1,
6.12, 7; default 6.12; `none`: leave that out). Emulated guests are slow: only the ratios mean something there."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

from attach_clock import measure
from contestants import Contestant, Floor
from figures import Table

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))

import guest  # noqa: E402  (after the path is set)
import guest_image  # noqa: E402
import guest_kernel  # noqa: E402

CLOCK = pathlib.Path(__file__).with_name("attach_clock.py")
GUEST_SECONDS = 400.0  # for one start, under emulation
GUEST_RUNS = 3
THOUSAND = "/tmp/functions"
# Case, script, flags. The tracers of a guest see the same paths.
GUEST_CASES = [
    ("kprobe:vfs_* by probe", "kprobe:vfs_* { @[probe] = count(); }", []),
    ("kprobe and kretprobe of vfs_*", "kprobe:vfs_* { @a[func] = count(); } kretprobe:vfs_* { @b[func] = count(); }", []),
    ("kprobe:* by func, 1,000 functions", "kprobe:* { @[func] = count(); }", ["--traceable-functions", THOUSAND]),
    ("kprobe:* by func, all functions", "kprobe:* { @[func] = count(); }", []),
    ("fentry:tcp_*", "fentry:tcp_* { @ = count(); }", []),
]
FUNCTIONS = "/sys/kernel/tracing/available_filter_functions"
PICK = f"grep -E '^[a-z]' {FUNCTIONS} | grep -v '\\[' | awk 'NR % 20 == 0' | head -1000 > {THOUSAND}"


def _add(table: Table, case: str, samples: dict[str, list[dict]]) -> None:
    failed = {who: found[-1]["error"].strip() for who, found in samples.items() if found and "error" in found[-1]}
    notes = {f"{who}: {error.splitlines()[-1]}" for who, error in failed.items() if error}
    good = {who: [one for one in found if "error" not in one] for who, found in samples.items()}
    probes = {f"{who}: {found[0]['probes']} probes" for who, found in good.items() if found}
    for what, key in (("attached after", "attached"), ("ended after", "ended")):
        table.add(f"{case}: {what}", "ms", {who: [one[key] * 1000 for one in found] for who, found in good.items()},
                  "; ".join(sorted(notes | probes)))


def _here(table: Table, contestants: list[Contestant], floor: Floor, runs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kawk-bench-", dir="/tmp") as folder:  # the peer's chroot sees /tmp
        usdt = pathlib.Path(folder) / "usdt"
        subprocess.run(["gcc", "-O1", "-o", usdt, ROOT / "tests/live/triggers/t_usdt.c"], check=True)
        # A copy that nobody runs: a breakpoint in the C library itself is set in every process of the machine.
        libc = pathlib.Path(folder) / "libc.so.6"
        shutil.copy(next(line.split()[2] for line in _output(["ldd", str(usdt)]).splitlines() if "libc.so" in line), libc)
        cases = [("uprobe:libc:*", f"uprobe:{libc}:* {{ @[func] = count(); }}"),
                 ("usdt, a probe of two places", f"usdt:{usdt}:trigger:request {{ @[probe] = count(); }}")]
        for case, script in cases:
            samples: dict[str, list[dict]] = {who.name: [] for who in contestants}
            for run in range(runs + 1):
                for who in contestants:
                    found = measure(_uncached(who, script), 120.0)
                    if run > 0 or "error" in found:
                        samples[who.name].append(found)
            _add(table, case, samples)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _uncached(who: Contestant, script: str) -> list[str]:
    return who.script(script, *(["--no-cache"] if who.name == "kawk" else []))


def _guest(table: Table, contestants: list[Contestant], name: str) -> None:
    kawk = next(who for who in contestants if who.name == "kawk")
    peer = next((who for who in contestants if who.name == "peer"), None)
    kernel = guest_kernel.fetch(name, ROOT / "build/guest")
    wrappers = {"kawk": str(guest_image.BINARY)} | ({"peer": str(guest_image.PEER_WRAPPER)} if peer else {})
    with tempfile.TemporaryDirectory(prefix="kawk-guest-") as folder:
        root = (peer.root if peer.root != pathlib.Path("/") else peer.binary) if peer else None
        image = guest.build_image(folder, kernel, kawk.binary.parent, [], root)
        machine = guest.Guest(kernel, image, guest.accelerator(kernel.image))
        try:
            machine.wait_ready()
            machine.run({"command": PICK, "seconds": 120}, 150)
            for case, script, flags in GUEST_CASES:
                samples: dict[str, list[dict]] = {who: [] for who in wrappers}
                for _ in range(GUEST_RUNS):
                    for who, binary in wrappers.items():
                        more = ["--no-cache"] if who == "kawk" else []
                        samples[who].append(_measure_inside(machine, [binary, *flags, *more, "-e", script]))
                        if "error" in samples[who][-1]:
                            break
                _add(table, f"{kernel.release}: {case}", samples)
        finally:
            machine.close()


def _measure_inside(machine, command: list[str]) -> dict:
    python = str(pathlib.Path(sys.executable).resolve())
    words = [python, "-S", "-E", "-c", CLOCK.read_text(), str(GUEST_SECONDS), *command]
    answer = machine.run({"command": shlex.join(words), "seconds": GUEST_SECONDS + 60}, GUEST_SECONDS + 120)
    try:
        return json.loads(answer["output"].strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": answer["output"][-400:] or "no answer"}


def run(contestants: list[Contestant], floor: Floor, runs: int) -> Table:
    table = Table("attach", [who.name for who in contestants])
    _here(table, contestants, floor, runs)
    name = os.environ.get("KAWK_BENCH_KERNEL", "6.12")
    if name != "none":
        _guest(table, contestants, name)
    return table
