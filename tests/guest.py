"""One boot of one kernel in QEMU, with an initramfs of busybox, kawk and the tests. As a program: guest.py KERNEL COMMAND
[KERNEL-OPTIONS] runs a shell command in a guest, to look around."""

import ctypes
import mmap
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time

import guest_image
import guest_kernel
from guest_agent import frame, unframe
from harness import shorten

BOOT_SECONDS = 300.0  # on a machine that is busy with other things, too
SILENCE_SECONDS = 60.0  # without a heartbeat
# What the console says when the kernel is at its end, or close to it. The options below make most of it a panic.
CRASH = re.compile(r"Kernel panic|Oops|BUG: |kernel BUG|general protection fault|Unable to handle kernel|stack segment")
WARNING = re.compile(r"WARNING: CPU|WARNING: .* at |possible recursive locking|suspicious RCU usage")
# The last: the timer is there; on a busy machine the check of it at boot finds no tick in time, and panics.
COMMAND_LINE = "console=ttyS0 loglevel=5 oops=panic panic=-1 tsc=reliable no_timer_check"

# Without cmpxchg16b: QEMU 7.2 now and then emulates it with wrong flags, and the kernel's allocator, which lives on it, crashes.
CPU = "max,-cx16"
# One thread for all emulated CPUs: with one each, QEMU 7.2 lets a CPU run half of the code that another one is patching (the
# kernel does that for every tracepoint and probe), and the guest crashes. Guests run side by side instead.
EMULATION = "tcg,thread=single"
# However we end, the guest ends, too.
NOT_ALONE = ["setpriv", "--pdeathsig", "KILL"]
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
        self._console = tempfile.NamedTemporaryFile(dir=image.parent, prefix="console-", mode="r", errors="replace")
        self._messages: queue.Queue[dict | None] = queue.Queue()
        clock = f"tsc_early_khz={tsc_khz()}" if accel == "tcg" else ""
        # The first port is the kernel's, the second the agent's.
        self.process = subprocess.Popen(
            [*NOT_ALONE, "qemu-system-x86_64", "-accel", EMULATION if accel == "tcg" else accel, "-cpu", CPU, "-smp", "2",
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


def build_image(folder, kernel: guest_kernel.Kernel, build: pathlib.Path, tools: list[str], peer) -> pathlib.Path:
    """The initramfs of `kernel` with what was built in `build`."""
    image = pathlib.Path(folder) / f"initramfs-{kernel.name}"
    guest_image.build(image, build / "kawk", build / "tests" / "triggers", kernel.modules, tools, peer)
    return image


def main() -> int:
    name, command, *options = sys.argv[1:]
    build = pathlib.Path(os.environ.get("KAWK_BUILD", guest_image.TESTS.parent / "build"))
    peer = pathlib.Path(os.environ["KAWK_PEER"]) if "KAWK_PEER" in os.environ else None
    kernel = guest_kernel.fetch(name, build / "guest")
    with tempfile.TemporaryDirectory(prefix="kawk-guest-") as folder:
        image = build_image(folder, kernel, build, ["bpftool"], peer)
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
