"""The live tests on other kernels: Debian's, each booted in QEMU with an initramfs of busybox, kawk and the tests.

The agent in the guest (guest_agent.py) runs one test per request. A guest that crashes or hangs fails the test that it ran,
whatever that test would have said; the others run in a fresh boot.
"""

import ctypes
import mmap
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import guest_image
import guest_kernel
import live_format
from guest_agent import all_tests, frame, unframe
from harness import FAILED, PASSED, Outcome, shorten

NAMES = list(guest_kernel.SUITES)
BOOT_SECONDS = 300.0  # on a machine that is busy with other things, too
SILENCE_SECONDS = 60.0  # without a heartbeat
PATIENCE = 6.0  # how much longer than on the machine itself a test may take under emulation
MAX_DEATHS = 5  # then the rest is not tried any more
# What the console says when the kernel is at its end, or close to it. The options below make most of it a panic.
CRASH = re.compile(r"Kernel panic|Oops|BUG: |kernel BUG|general protection fault|Unable to handle kernel|stack segment")
WARNING = re.compile(r"WARNING: CPU|WARNING: .* at |possible recursive locking|suspicious RCU usage")
COMMAND_LINE = "console=ttyS0 loglevel=5 oops=panic panic=-1 tsc=reliable"


# Without cmpxchg16b: QEMU 7.2 now and then emulates it with wrong flags, and the kernel's allocator, which lives on it, crashes.
CPU = "max,-cx16"


FRUGAL = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]


class GuestDied(Exception):
    """The guest crashed, hung or never came up; the text says which, with the end of its console."""


def tsc_khz(seconds: float = 0.1) -> int:
    """The frequency of this CPU's time stamp counter, which an emulated CPU shares. On a busy machine the guest's own
    measurement at boot is off by far, and with it every clock in it."""
    # rdtsc; shl rdx, 32; or rax, rdx; ret
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)

    def pair() -> tuple[int, int]:
        """Both clocks at one moment: of several tries the one in which the least time went by."""
        tries = [(time.monotonic_ns(), read(), time.monotonic_ns()) for _ in range(20)]
        before, ticks, after = min(tries, key=lambda t: t[2] - t[0])
        return ticks, (before + after) // 2

    ticks, start = pair()
    time.sleep(seconds)
    more_ticks, end = pair()
    return round((more_ticks - ticks) * 1_000_000 / (end - start))


def accelerator(image: pathlib.Path) -> str:
    """kvm where a kernel really starts with it: /dev/kvm may be there and not work. Else emulation."""
    if not os.access("/dev/kvm", os.W_OK):
        return "tcg"
    # Without a root file system the kernel panics at once, which ends QEMU with status 0.
    command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "max", *FRUGAL, "-m", "512M", "-kernel", str(image),
               "-append", "panic=-1"]
    try:
        status = subprocess.run(command, capture_output=True, timeout=20, check=False).returncode
    except subprocess.TimeoutExpired:
        status = -1
    return "kvm" if status == 0 else "tcg"


class Guest:
    """One boot of one kernel."""

    def __init__(self, kernel: guest_kernel.Kernel, image: pathlib.Path, accel: str, options: str = "") -> None:
        self.kernel = kernel
        self._console = tempfile.NamedTemporaryFile(prefix="kawk-console-", mode="r", errors="replace")
        self._messages: queue.Queue[dict | None] = queue.Queue()
        clock = f"tsc_early_khz={tsc_khz()}" if accel == "tcg" else ""
        # The first port is the kernel's, the second the agent's.
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi" if accel == "tcg" else accel, "-cpu", CPU, "-smp", "2",
             "-m", "2G", *FRUGAL, "-kernel", str(kernel.image), "-initrd", str(image),
             "-append", f"{COMMAND_LINE} {clock} {options}", "-serial", f"file:{self._console.name}",
             "-chardev", "stdio,id=agent,signal=off", "-serial", "chardev:agent"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if (message := unframe(line.decode(errors="replace"))) is not None:
                self._messages.put(message)
        self._messages.put(None)

    def console(self) -> str:
        """What the kernel has said so far."""
        self._console.seek(0)
        return self._console.read()

    def warnings(self) -> str:
        """The kernel's complaints that did not end it, each with the lines that follow."""
        lines = self.console().splitlines()
        return "\n".join("\n".join(lines[at : at + 12]) for at, line in enumerate(lines) if WARNING.search(line))

    def _died(self, how: str) -> GuestDied:
        self.close()
        crash = CRASH.search(self.console())
        text = self.console()
        shown = text[max(0, text.rfind("\n", 0, crash.start())) :] if crash else text
        lines = shown.strip().splitlines()
        # The beginning of an oops says more than its end.
        shown = "\n".join(lines[:40]) if crash else shorten(shown, 15)
        return GuestDied(f"{'the guest crashed' if crash else how}\n--- console of {self.kernel.release}\n{shown}")

    def _receive(self, key: str, seconds: float, silence: float = SILENCE_SECONDS) -> dict:
        """The next message with `key`."""
        deadline = time.monotonic() + seconds
        heard = time.monotonic()
        while True:
            now = time.monotonic()
            try:
                message = self._messages.get(timeout=max(0.0, min(deadline, heard + silence) - now))
            except queue.Empty:
                silent = time.monotonic() - heard
                what = f"is silent for {silent:.0f} s" if silent >= silence else f"gave no answer in {seconds:.0f} s"
                raise self._died(f"the guest {what}: it hangs") from None
            if message is None:
                raise self._died("the guest ended by itself")
            heard = time.monotonic()
            if key in message:
                return message

    def wait_ready(self) -> None:
        self._receive("ready", BOOT_SECONDS, BOOT_SECONDS)

    def run(self, request: dict, seconds: float) -> dict:
        """The agent's answer to a request."""
        try:
            self.process.stdin.write(frame(request).encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._died("the guest ended by itself") from None
        return self._receive("status", seconds)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Lane:
    """Runs tests on one kernel, booting as often as it takes."""

    def __init__(self, kernel: guest_kernel.Kernel, image: pathlib.Path, accel: str, is_peer: bool) -> None:
        self.kernel = kernel
        self._image = image
        self._accel = accel
        self._request = {"binary": str(guest_image.PEER_WRAPPER if is_peer else guest_image.BINARY), "peer": is_peer,
                         "triggers": str(guest_image.TRIGGERS), "patience": PATIENCE if accel == "tcg" else 2.0}
        self._deaths = 0
        self.warnings = ""

    def _boot(self, options: str) -> Guest:
        guest = Guest(self.kernel, self._image, self._accel, options)
        guest.wait_ready()
        return guest

    def _one(self, guest: Guest, name: str, test: live_format.LiveTest) -> Outcome:
        limit = float(test.value("timeout", "15")) * self._request["patience"] * 3 + 60
        answer = guest.run(self._request | {"test": name}, limit)
        return Outcome(name, answer["status"], answer["detail"], self.kernel.name, answer["seconds"])

    def _end(self, guest: Guest | None) -> None:
        if guest:
            self.warnings += guest.warnings()
            guest.close()

    def run(self, tests: dict[str, live_format.LiveTest], options: str):
        """The outcomes of `tests`, all in guests booted with `options`."""
        guest = None
        for name, test in tests.items():
            if self._deaths >= MAX_DEATHS:
                yield Outcome(name, FAILED, f"not run: the guest died {self._deaths} times", self.kernel.name)
                continue
            try:
                guest = guest or self._boot(options)
                outcome = self._one(guest, name, test)
            except GuestDied as death:
                guest = None
                self._deaths += 1
                outcome = Outcome(name, FAILED, str(death), self.kernel.name)
            yield outcome
        self._end(guest)


def _chosen(only: str, share: tuple[int, int] = (0, 1)) -> dict[str, dict[str, live_format.LiveTest]]:
    """The tests whose name holds `only`, by what the kernel must be booted with. `share` is (k, n): of the tests that need
    nothing of the kernel but BPF itself only every n-th, from the k-th on; the other kernels run the rest."""
    groups: dict[str, dict[str, live_format.LiveTest]] = {}
    alike = 0
    for name, test in all_tests(guest_image.TESTS / "live").items():
        if not test.value("boot") and not set(test.needs()) - {"kawk", ""}:
            alike += 1
            if alike % share[1] != share[0]:
                continue
        if only in name:
            groups.setdefault(test.value("boot"), {})[name] = test
    return groups


def _tools(groups: dict[str, dict[str, live_format.LiveTest]]) -> list[str]:
    """The programs that tests name as needed."""
    needs = {need for tests in groups.values() for test in tests.values() for need in test.needs()}
    return sorted(need.removeprefix("tool ") for need in needs if need.startswith("tool "))


def _outcomes(name: str, build: pathlib.Path, only: str, peer: pathlib.Path | None, share: tuple[int, int]):
    """The live tests on kernel `name`, then whether the kernel itself complained."""
    groups = _chosen(only, share)
    if not groups:
        return
    try:
        for tool in ("qemu-system-x86_64", "busybox"):
            if not shutil.which(tool):
                raise guest_kernel.KernelError(f"no {tool} here: ./dev test --kernel {name} installs it")
        kernel = guest_kernel.fetch(name, build / "guest")
    except guest_kernel.KernelError as error:
        yield Outcome("guest: a kernel to boot", FAILED, str(error), name)
        return
    with tempfile.TemporaryDirectory(prefix="kawk-guest-") as folder:
        image = pathlib.Path(folder) / "initramfs"
        guest_image.build(image, build / "kawk", build / "tests" / "triggers", _tools(groups), peer)
        lane = Lane(kernel, image, accelerator(kernel.image), peer is not None)
        for options, tests in sorted(groups.items()):
            yield from lane.run(tests, options)
    complained = FAILED if lane.warnings else PASSED
    yield Outcome(f"guest: no warning from {kernel.release}", complained, lane.warnings, name)


def outcomes(names: list[str], build: pathlib.Path, only: str, peer: pathlib.Path | None = None, shared: bool = False):
    """The outcomes on all these kernels, as they come: as many guests at once as there are CPUs. When `shared`, tests that ask
    nothing of the kernel run on one of them each."""
    done: queue.Queue[Outcome | Exception | None] = queue.Queue()
    slots = threading.Semaphore(os.cpu_count() or 1)

    def work(name: str, share: tuple[int, int]) -> None:
        with slots:
            try:
                for outcome in _outcomes(name, build, only, peer, share):
                    done.put(outcome)
            except Exception as error:  # not to be lost in a thread
                done.put(error)
        done.put(None)

    for number, name in enumerate(names):
        share = (number, len(names)) if shared else (0, 1)
        threading.Thread(target=work, args=[name, share], daemon=True).start()
    running = len(names)
    while running:
        item = done.get()
        if isinstance(item, Exception):
            raise item
        if item is None:
            running -= 1
        else:
            yield item


def main() -> int:
    """Runs a shell command in a guest, to look around: guest.py KERNEL COMMAND [KERNEL-OPTIONS]."""
    name, command, *options = sys.argv[1:]
    build = pathlib.Path(os.environ.get("KAWK_BUILD", guest_image.TESTS.parent / "build"))
    peer = pathlib.Path(os.environ["KAWK_PEER"]) if "KAWK_PEER" in os.environ else None
    kernel = guest_kernel.fetch(name, build / "guest")
    with tempfile.TemporaryDirectory(prefix="kawk-guest-") as folder:
        image = pathlib.Path(folder) / "initramfs"
        guest_image.build(image, build / "kawk", build / "tests" / "triggers", _tools(_chosen("")), peer)
        guest = Guest(kernel, image, accelerator(kernel.image), " ".join(options))
        try:
            guest.wait_ready()
            answer = guest.run({"command": command, "seconds": 600}, 620)
            print(answer["output"], end="")
        finally:
            print(guest.console(), end="", file=sys.stderr)
            guest.close()
    return 1 if answer["status"] is None else answer["status"]


if __name__ == "__main__":
    sys.exit(main())
