"""The ready-made tools of bpftrace through kawk, unchanged, with --dry-run; and where KAWK_PEER names bpftrace itself, those
that run here beside it. They are not part of this tree: the environment variable KAWK_PEER_TOOLS names the folder that has
them (`*.bt`)."""

import os
import pathlib
import re
import subprocess

import tools_beside
from harness import FAILED, PASSED, SKIPPED, Outcome, shorten

# What this kernel may lack; anything else that is an error is ours.
ABSENT = re.compile(r"ERROR: (cannot attach (k(ret)?probe|hardware|fentry|fexit|watchpoint):|nothing matches ).*"
                    r"|.*: ERROR: (nothing matches |no probe has anything to attach to|the kernel has no symbol ).*")


def run(binary: str, tool: pathlib.Path) -> Outcome:
    """One tool: it loads, or the errors are about what is absent from this kernel."""
    name = f"tools/{tool.stem}"
    try:
        result = subprocess.run([binary, "--no-cache", "--dry-run", str(tool)], capture_output=True, text=True, errors="replace",
                                stdin=subprocess.DEVNULL, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Outcome(name, FAILED, "still running after 60 s")
    errors = [line for line in result.stderr.splitlines() if "ERROR:" in line]
    others = [line for line in errors if not ABSENT.fullmatch(line)]
    if result.returncode == 0 and not errors:
        return Outcome(name, PASSED)
    if errors and not others:
        return Outcome(name, SKIPPED, errors[0])
    return Outcome(name, FAILED, shorten(result.stderr))


def outcomes(binary: str, only: str):
    """All tools whose name holds `only`."""
    folder = os.environ.get("KAWK_PEER_TOOLS")
    if not folder:
        if only in "tools":
            yield Outcome("tools", SKIPPED, "KAWK_PEER_TOOLS names no folder with bpftrace's tools")
        return
    peer = os.environ.get("KAWK_PEER")
    for tool in sorted(pathlib.Path(folder).glob("*.bt")):
        if only not in f"tools/{tool.stem} beside the peer":
            continue
        outcome = run(binary, tool)
        yield outcome
        if peer and outcome.status == PASSED:
            yield tools_beside.compare(binary, peer, tool)
