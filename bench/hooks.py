"""What kprobes, fentry and kprobe_multi cost, where this machine's kernel may have none of them: in a guest with another kernel,
kawk and the peer in the same boot, in turn. Emulated CPUs: only the ratios mean something."""

import json
import os
import pathlib
import shlex
import sys
import tempfile

from contestants import Contestant, Floor
from figures import Table

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))

import guest  # noqa: E402  (after the path is set)
import guest_image  # noqa: E402
import guest_kernel  # noqa: E402

KERNEL = os.environ.get("KAWK_BENCH_KERNEL", "6.12")
TURNS = 20_000
CASES = {
    "kprobe count": "kprobe:do_sys_openat2 { @ = count(); }",
    "kretprobe hist": "kretprobe:do_sys_openat2 { @ = hist(retval); }",
    "fentry count": "fentry:do_sys_openat2 { @ = count(); }",
    "kprobe_multi count": "kprobe:do_sys_openat*,kprobe:vfs_open { @ = count(); }",
    "kprobe_multi by comm": "kprobe:do_sys_open* { @[comm] = count(); }",
}


def _answer(measured: list[Contestant], rounds: int) -> str:
    """What the agent printed in a guest of its own."""
    binaries = {"kawk": str(guest_image.BINARY), "peer": str(guest_image.PEER_WRAPPER)}
    cases = {case: {who.name: [binaries[who.name], "-q", "-e", script] for who in measured} for case, script in CASES.items()}
    agent = pathlib.Path(__file__).with_name("hooks_agent.py").read_text()
    text = f"ROUNDS, TURNS, CASES = {rounds}, {TURNS}, {cases!r}\n{agent}"
    build = ROOT / "build"
    kernel = guest_kernel.fetch(KERNEL, build / "guest")
    peer = next((who.root if who.root != pathlib.Path("/") else who.binary for who in measured if who.name == "peer"), None)
    with tempfile.TemporaryDirectory(prefix="kawk-guest-") as folder:
        image = guest.build_image(folder, kernel, build, [], peer)
        machine = guest.Guest(kernel, image, guest.accelerator(kernel.image))
        try:
            machine.wait_ready()
            python = pathlib.Path(sys.executable).resolve()
            request = {"command": f"{python} -S -E -c {shlex.quote(text)}", "seconds": 3000}
            return machine.run(request, 3100)["output"]
        finally:
            machine.close()


def run(contestants: list[Contestant], _floor: Floor, runs: int) -> Table:
    table = Table("hooks", [who.name for who in contestants])
    output = _answer(contestants, runs)
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if not lines:
        print(output, file=sys.stderr)
        return table
    for case, found in json.loads(lines[-1].removeprefix("RESULT ")).items():
        note = f"Linux {KERNEL}, emulated"
        table.add(f"{case}: slowdown", "ns/turn", {who: [pair[0] for pair in pairs] for who, pairs in found.items()}, note)
        table.add(f"{case}: in the kernel", "ns/run", {who: [pair[1] for pair in pairs] for who, pairs in found.items()}, note)
    return table
