"""How long a tracer takes until its probes are attached, and to end after Ctrl-C. Imported here, and run in guests from its own
text, where Python has few modules."""

import json
import os
import re
import signal
import subprocess
import sys
import time

READY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"


def measure(command: list[str], seconds: float) -> dict:
    """Seconds from the start to the line that says all is attached, how many probes that were, seconds from Ctrl-C to the end.
    `error`: what it said instead."""
    environment = os.environ | {READY: "1", "BPFTRACE_MAX_PROBES": "1000000"}
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", env=environment)
    lines = []
    attached = None
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        for line in process.stdout:
            lines.append(line)
            if READY in line:
                attached = time.monotonic() - start
                break
        if attached is None:
            return {"error": "".join(lines)[-400:]}
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait()
        ended = time.monotonic() - interrupted
    except TimeoutError:
        return {"error": f"not attached after {seconds:.0f} s" if attached is None else f"did not end in {seconds:.0f} s"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        process.kill()
        process.wait()
    count = re.search(r"Attached (\d+) probe", "".join(lines))
    return {"attached": attached, "ended": ended, "probes": int(count[1]) if count else None}


def _too_late(*_) -> None:
    raise TimeoutError


signal.signal(signal.SIGALRM, _too_late)

if __name__ == "__main__":
    seconds, *command = sys.argv[1:]
    print(json.dumps(measure(command, float(seconds))))
