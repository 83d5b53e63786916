"""What the kernel's verifier works through for each of bpftrace's ready-made tools: the instructions it processes when kawk loads
them, and when the peer does. A tool's figure is the sum over its programs."""

import re
import subprocess

from contestants import PEER_TOOLS, Contestant, Floor
from figures import Table

PROCESSED = re.compile(r"^processed (\d+) insns", re.MULTILINE)


def processed(who: Contestant, inside: str) -> list[float]:
    """Instructions; empty when the tool does not load here."""
    try:
        shown = subprocess.run([*who.command, "-d", "verifier", "--dry-run", inside], capture_output=True, text=True, check=False,
                               errors="replace", timeout=120)
    except subprocess.TimeoutExpired:
        return []
    counts = PROCESSED.findall(shown.stdout + shown.stderr)
    return [float(sum(map(int, counts)))] if shown.returncode == 0 and counts else []


def run(contestants: list[Contestant], _floor: Floor, _runs: int) -> Table:
    table = Table("verifier", [who.name for who in contestants])
    peer = contestants[-1]
    folders = [peer.root / folder for folder in PEER_TOOLS]
    tools = sorted({path.name: path for folder in reversed(folders) for path in folder.glob("*.bt")}.items())
    for name, path in tools:
        # The peer may live in a folder of its own, and knows its tools by their names there.
        inside = {who.name: str(path) if who.name == "kawk" else "/" + str(path.relative_to(peer.root)) for who in contestants}
        table.add(name, "instructions", {who.name: processed(who, inside[who.name]) for who in contestants})
    return table
