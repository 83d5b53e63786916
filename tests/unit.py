"""Runs the gtest programs of the build (unit tests and goldens; no root needed) and counts their cases."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import tempfile

from harness import FAILED, PASSED, SKIPPED, Outcome

TIMEOUT = 300


def _cases(program: pathlib.Path) -> list[str]:
    """The names of all cases, as --gtest_list_tests shows them."""
    shown = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, timeout=60, check=False).stdout
    names, suite = [], ""
    for line in shown.splitlines():
        text = line.split("#")[0].rstrip()
        if line.startswith("  "):
            names.append(suite + text.strip())
        elif text.endswith("."):
            suite = text
    return names


def _from_json(program: str, path: pathlib.Path) -> list[Outcome]:
    """One outcome per case of gtest's JSON report."""
    outcomes = []
    for suite in json.loads(path.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"unit/{program}: {suite['name']}.{case['name']}"
            if failures := case.get("failures"):
                outcomes.append(Outcome(name, FAILED, "\n".join(failure["failure"] for failure in failures)))
            elif case.get("result") == "SKIPPED":
                reasons = [skip.get("message", "") for skip in case.get("skipped", [])]
                outcomes.append(Outcome(name, SKIPPED, " ".join(reasons).strip().split("\n")[-1] or "skipped by the test"))
            elif case.get("status") == "RUN":
                outcomes.append(Outcome(name, PASSED))
    return outcomes


def _run(program: pathlib.Path, only: str, update: bool) -> list[Outcome]:
    """Runs one program, or those of its cases whose name holds `only`."""
    name = program.name.removeprefix("test_")
    command = [str(program)]
    if only and only not in f"unit/{name}: ":
        chosen = [case for case in _cases(program) if only in f"unit/{name}: {case}"]
        if not chosen:
            return []
        command.append("--gtest_filter=" + ":".join(chosen))
    with tempfile.TemporaryDirectory(prefix="kawk-unit-") as folder:
        report = pathlib.Path(folder) / "report.json"
        environment = os.environ | ({"KAWK_UPDATE": "1"} if update else {})
        try:
            done = subprocess.run([*command, f"--gtest_output=json:{report}"], capture_output=True, text=True, errors="replace",
                                  timeout=TIMEOUT, env=environment, check=False)
        except subprocess.TimeoutExpired:
            return [Outcome(f"unit/{name}", FAILED, f"still running after {TIMEOUT} s")]
        outcomes = _from_json(name, report) if report.exists() else []
        if done.returncode != 0 and not any(outcome.status == FAILED for outcome in outcomes):
            # It crashed, or a sanitizer spoke after the last case.
            outcomes.append(Outcome(f"unit/{name}", FAILED, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"))
        return outcomes


def outcomes(build: pathlib.Path, only: str, update: bool):
    """All cases of all test programs; the programs run side by side."""
    programs = sorted(path for path in (build / "tests").glob("test_*") if path.is_file() and os.access(path, os.X_OK))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda program: _run(program, only, update), programs):
            yield from found
