"""Scripts that nobody would write, through the whole program with --dry-run: those of the live tests, with words dropped,
doubled, moved and taken from elsewhere. Each ends with status 0, or 1 and a message about the script: no crash, no hang, and
nothing that the kernel's verifier refuses. The sequence is fixed; KAWK_MUTATIONS=COUNT[:SEED] asks for another one."""

import concurrent.futures
import os
import pathlib
import random
import re
import subprocess

from harness import FAILED, PASSED, Outcome, shorten
from live_format import parse

COUNT, SEED = 120, 3
TIMEOUT = 60
WORD = re.compile(r'"(?:\\.|[^"\\\n])*"\s*|[$@]?\w+\s*|->\s*|\+\+\s*|--\s*|\S\s*|\s+')
# What the machine, not the script, is to blame for.
MACHINE = re.compile(r"cannot attach|no probe has anything|nothing matches|has no symbol|needs Linux|is not readable")
BAD = re.compile(r"internal error|verifier|BPF program|cannot load|limits of BPF|Traceback")


def scripts(folder: pathlib.Path) -> list[str]:
    """The scripts of the live tests that need nothing special."""
    found = []
    for path in sorted(folder.glob("*.test")):
        for test in parse(path):
            script = "\n".join(test.block("script") or [])
            special = "${" in script or test.value("boot") or re.search(r"kprobe|fentry|fexit|watchpoint", script)
            if script and not special:
                found.append(script)
    return found


def mutate(chance: random.Random, all_scripts: list[str]) -> str:
    """One of the scripts, changed in one to three places."""
    words, others = (WORD.findall(chance.choice(all_scripts)) for _ in range(2))
    for _ in range(chance.randint(1, 3)):
        if len(words) < 2 or not others:
            break
        at = chance.randrange(len(words))
        change = chance.randrange(5)
        if change == 0:
            del words[at]
        elif change == 1:
            words.insert(at, chance.choice(words))
        elif change == 2:
            words[at] = chance.choice(others)
        elif change == 3:
            words.insert(at, chance.choice(others))
        else:
            other = chance.randrange(len(words))
            words[at], words[other] = words[other], words[at]
    return "".join(words)


def complaint(binary: str, script: str) -> str:
    """What is wrong with how it ended; empty: nothing."""
    try:
        done = subprocess.run([binary, "--no-cache", "--dry-run", "--unsafe", "-"], input=script, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return f"still running after {TIMEOUT} s"
    if done.returncode not in (0, 1):
        return f"exit status {done.returncode}\n{shorten(done.stderr)}"
    if done.returncode == 1 and MACHINE.search(done.stderr):
        return ""
    if BAD.search(done.stderr) or (done.returncode == 1 and "ERROR" not in done.stderr):
        return shorten(done.stderr)
    return ""


def outcomes(binary: str, folder: pathlib.Path, only: str):
    """One outcome for all, or one for each that went wrong."""
    name = "mutations"
    if only not in name:
        return
    count, _, seed = os.environ.get("KAWK_MUTATIONS", f"{COUNT}:{SEED}").partition(":")
    chance = random.Random(int(seed or SEED))
    originals = scripts(folder)
    changed = [mutate(chance, originals) for _ in range(int(count))]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for script, what in zip(changed, pool.map(lambda text: complaint(binary, text), changed)):
            if what:
                wrong += 1
                yield Outcome(f"{name}/{wrong}", FAILED, f"{what}\nthe script:\n{script}")
    if wrong == 0:
        yield Outcome(name, PASSED)
