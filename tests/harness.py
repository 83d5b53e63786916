"""What the layers of the test run share: the outcome of one test, and the summary at the end."""

import dataclasses
import platform
import re
import sys
import time

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
HERE = ".".join(re.findall(r"\d+", platform.release())[:2])  # this machine's kernel
SIGNS = {PASSED: "ok", FAILED: "FAILED", SKIPPED: "skip"}


@dataclasses.dataclass
class Outcome:
    """One test: `name` is what --only searches in, `detail` says why it failed or was skipped."""

    name: str
    status: str
    detail: str = ""
    kernel: str = ""  # the guest it ran in; empty for this machine
    seconds: float = 0.0
    again: bool = False  # a second run, after the guest had died under the first

    @property
    def label(self) -> str:
        return f"{self.name} [{self.kernel}]" if self.kernel else self.name


def shorten(text: str, lines: int = 40) -> str:
    """The end of a long output: that is where tools say what went wrong."""
    kept = text.rstrip().splitlines()
    if len(kept) > lines:
        kept = [f"… {len(kept) - lines} lines before"] + kept[-lines:]
    return "\n".join(kept)


class Report:
    """Collects outcomes, prints failures as they come, and the counts at the end."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def layer(self, name: str, outcomes) -> None:
        """Runs one layer: `outcomes` is a generator that does the work as it is drawn."""
        started = time.monotonic()
        counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        for outcome in outcomes:
            counts[outcome.status] += 1
            self.outcomes.append(outcome)
            if outcome.status == FAILED:
                indented = shorten(outcome.detail).replace("\n", "\n    ")
                print(f"FAILED {outcome.label}\n    {indented}", flush=True)
        shown = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        print(f"{name}: {shown or 'nothing to do'} ({time.monotonic() - started:.1f} s)", flush=True)

    def table(self) -> list[str]:
        """Live tests by kernel. Tests of a file that passed everywhere share a line."""
        live = [outcome for outcome in self.outcomes if outcome.name.startswith("live/")]
        numbers = lambda kernel: [int(part) for part in kernel.split(".") if part]  # noqa: E731
        kernels = sorted({outcome.kernel for outcome in live}, key=lambda kernel: numbers(kernel or HERE))
        if kernels in ([], [""]):
            return []
        rows: dict[str, dict[str, str]] = {}
        for outcome in live:
            rows.setdefault(outcome.name, {})[outcome.kernel] = SIGNS[outcome.status] + (" (2nd boot)" if outcome.again else "")
        shown: dict[str, list[str]] = {}
        together: dict[str, int] = {}
        for name, row in rows.items():
            signs = [row.get(kernel, "-") for kernel in kernels]
            file = name.partition(": ")[0]
            if set(signs) == {SIGNS[PASSED]}:
                together[file] = together.get(file, 0) + 1
                shown.setdefault(file, signs)
            else:
                shown[name] = signs
        titles = {file: f"{file} ({count} tests)" for file, count in together.items()}
        lines = [(titles.get(name, name), signs) for name, signs in shown.items()]
        width = max(len(name) for name, _ in lines)
        lines = [("", [kernel or f"{HERE} here" for kernel in kernels]), *lines]
        widths = [max(len(signs[column]) for _, signs in lines) for column in range(len(kernels))]
        return [f"{name:{width}}  " + "  ".join(f"{s:{w}}" for s, w in zip(signs, widths)) for name, signs in lines]

    def finish(self) -> int:
        """The table, skips by reason, failures by name, then the line that closes the run. Returns the exit status."""
        if table := self.table():
            print("\n" + "\n".join(line.rstrip() for line in table))
        by_status = {status: [o for o in self.outcomes if o.status == status] for status in (PASSED, FAILED, SKIPPED)}
        reasons: dict[str, list[str]] = {}
        for outcome in by_status[SKIPPED]:
            reasons.setdefault(outcome.detail, []).append(outcome.label)
        if reasons:
            print("\nskipped:")
        for reason, names in sorted(reasons.items()):
            print(f"  {reason}: {len(names)}")
            for name in names:
                print(f"    {name}")
        if by_status[FAILED]:
            print("\nfailed:")
        for outcome in by_status[FAILED]:
            print(f"  {outcome.label}")
        counts = [len(by_status[status]) for status in (PASSED, FAILED, SKIPPED)]
        print("\n{} passed, {} failed, {} skipped".format(*counts))
        sys.stdout.flush()
        return 1 if by_status[FAILED] else 0
