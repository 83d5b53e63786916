"""The live tests on other kernels. The agent in the guest (guest_agent.py) runs one test per request.

When a guest crashes or hangs, that says nothing about the test it ran: the test runs once more in a fresh boot, and the rest
after it. A test that kills two guests is a failure that says so. No guest that died counts as a pass.
"""

import os
import pathlib
import queue
import shutil
import tempfile
import threading
import time

import guest_image
import guest_kernel
import live_format
from guest import Guest, GuestDied, accelerator, build_image
from guest_agent import all_tests
from harness import FAILED, PASSED, Outcome

NAMES = list(guest_kernel.SUITES)
PATIENCE = 6.0  # how much longer than on the machine itself a test may take under emulation
BOOT_SECONDS = 10.0  # for a boot; when this machine is busy it takes longer, and so may the tests, up to
MAX_SLOWDOWN = 5.0
MAX_DEATHS = 10  # then the rest is not tried any more
BOOTS = 3  # a kernel may crash while it boots, too


class Lane:
    """Runs tests on one kernel, booting as often as it takes. `boot` makes a Guest out of options for the kernel."""

    def __init__(self, kernel: guest_kernel.Kernel, boot, request: dict) -> None:
        self.kernel = kernel
        self._boot_guest = boot
        self._request = request
        self._slowdown = 1.0
        self.deaths: list[tuple[str, str]] = []  # what the guest ran, and how it ended
        self.warnings = ""

    def _boot(self, options: str) -> Guest:
        """A guest that is ready; GuestDied when none comes up."""
        for attempt in range(BOOTS):
            started = time.monotonic()
            guest = self._boot_guest(options)
            try:
                guest.wait_ready()
                self._slowdown = min(max(1.0, (time.monotonic() - started) / BOOT_SECONDS), MAX_SLOWDOWN)
                return guest
            except GuestDied as death:
                self.deaths.append(("the boot", str(death)))
                if attempt == BOOTS - 1:
                    raise
        raise AssertionError("not reached")

    def _one(self, guest: Guest, name: str, test: live_format.LiveTest) -> Outcome:
        patience = self._request["patience"] * self._slowdown
        limit = float(test.value("timeout", "15")) * patience * 3 + 60
        answer = guest.run(self._request | {"test": name, "patience": patience}, limit)
        return Outcome(name, answer["status"], answer["detail"], self.kernel.name, answer["seconds"])

    def _end(self, guest: Guest | None) -> None:
        if guest:
            self.warnings += guest.warnings()
            guest.close()

    def run(self, tests: dict[str, live_format.LiveTest], options: str):
        """The outcomes of `tests`, all in guests booted with `options`."""
        waiting = list(tests)
        guest = None
        killed = ""  # the test that the last guest died of
        while waiting:
            name = waiting[0]
            if len(self.deaths) >= MAX_DEATHS:
                yield Outcome(name, FAILED, f"not run: guests died {len(self.deaths)} times", self.kernel.name)
                waiting.pop(0)
                continue
            try:
                guest = guest or self._boot(options)
            except GuestDied as death:
                for name in waiting:
                    what = str(death) if name == waiting[0] else "see above"
                    yield Outcome(name, FAILED, f"not run: the kernel did not come up {BOOTS} times: {what}", self.kernel.name)
                return
            try:
                outcome = self._one(guest, name, tests[name])
                outcome.again = name == killed
            except GuestDied as death:
                guest = None
                self.deaths.append((name, str(death)))
                if name != killed:
                    killed = name
                    continue
                outcome = Outcome(name, FAILED, f"two guests died of it, the second so: {death}", self.kernel.name)
            waiting.pop(0)
            yield outcome
        self._end(guest)


def _chosen(only: str) -> dict[str, dict[str, live_format.LiveTest]]:
    """The tests whose name holds `only`, by what the kernel must be booted with. What needs a compiler is about headers and
    C, not about the kernel, and a compiler is ten times the size of all else in a guest."""
    groups: dict[str, dict[str, live_format.LiveTest]] = {}
    for name, test in all_tests(guest_image.TESTS / "live").items():
        if only in name and not any(need.startswith("compiler ") for need in test.needs()):
            groups.setdefault(test.value("boot"), {})[name] = test
    return groups


def _tools(groups: dict[str, dict[str, live_format.LiveTest]]) -> list[str]:
    """The programs that tests name as needed."""
    needs = {need for tests in groups.values() for test in tests.values() for need in test.needs()}
    return sorted(need.removeprefix("tool ") for need in needs if need.startswith("tool "))


def _kernel(name: str, build: pathlib.Path, mirror: str) -> guest_kernel.Kernel:
    kernel = guest_kernel.fetch(name, build / "guest", mirror)
    for tool in ("qemu-system-x86_64", "busybox"):
        if not shutil.which(tool):
            raise guest_kernel.KernelError(f"no {tool} here: ./dev test --kernel {name} installs it")
    return kernel


def _outcomes(name: str, build: pathlib.Path, only: str, peer: pathlib.Path | None, mirror: str, folder: str):
    """The live tests on kernel `name`, then whether the kernel itself complained."""
    groups = _chosen(only)
    if not groups:
        return
    try:
        kernel = _kernel(name, build, mirror)
    except guest_kernel.KernelError as error:
        yield Outcome("guest: a kernel to boot", FAILED, str(error), name)
        return
    accel = accelerator(kernel.image)
    request = {"binary": str(guest_image.PEER_WRAPPER if peer else guest_image.BINARY), "peer": peer is not None,
               "triggers": str(guest_image.TRIGGERS), "patience": PATIENCE if accel == "tcg" else 2.0}
    image = build_image(folder, kernel, build, _tools(groups), peer)
    lane = Lane(kernel, lambda options: Guest(kernel, image, accel, options), request)
    for options, tests in sorted(groups.items()):
        yield from lane.run(tests, options)
    complained = FAILED if lane.warnings else PASSED
    yield Outcome(f"guest: no warning from {kernel.release}", complained, lane.warnings, name)
    for what, how in lane.deaths:
        print(f"a guest with Linux {name} died during {what}; the rest ran in a fresh boot\n    " + how.replace("\n", "\n    "))


def outcomes(names: list[str], build: pathlib.Path, only: str, peer: pathlib.Path | None = None, mirror: str = ""):
    """The outcomes on all these kernels, as they come. `mirror`: for kernels that are not there yet, see fetch(). The guests
    run side by side: each keeps one CPU busy, and not always."""
    # Removed here, also when the run is interrupted: the threads end with the process.
    with tempfile.TemporaryDirectory(prefix="kawk-guests-", ignore_cleanup_errors=True) as folder:
        yield from _side_by_side(names, lambda name: _outcomes(name, build, only, peer, mirror, folder))


def _side_by_side(names: list[str], outcomes_of):
    """What outcomes_of(name) gives for each name, as it comes."""
    done: queue.Queue[Outcome | Exception | None] = queue.Queue()
    slots = threading.Semaphore((os.cpu_count() or 1) + 1)

    def work(name: str) -> None:
        with slots:
            try:
                for outcome in outcomes_of(name):
                    done.put(outcome)
            except Exception as error:  # not to be lost in a thread
                done.put(error)
        done.put(None)

    for name in names:
        threading.Thread(target=work, args=[name], daemon=True).start()
    running = len(names)
    while running:
        item = done.get()
        if isinstance(item, Exception):
            raise item
        if item is None:
            running -= 1
        else:
            yield item
