"""Who is measured: kawk, the peer (bpftrace), and the C floors, small libbpf programs that are built here."""

import dataclasses
import os
import pathlib
import shutil
import subprocess

FLOOR_SOURCES = pathlib.Path(__file__).resolve().parent / "floor"
PEER_TOOLS = ["usr/sbin", "usr/share/bpftrace/tools", "usr/share/bpftrace/tools/old"]


@dataclasses.dataclass
class Contestant:
    """A tracer: what starts it, and where its files are."""

    name: str
    command: list[str]
    binary: pathlib.Path
    root: pathlib.Path = pathlib.Path("/")  # the peer may live in a folder of its own

    def script(self, text: str, *flags: str) -> list[str]:
        return [*self.command, *flags, "-e", text]

    def version(self) -> str:
        shown = subprocess.run([*self.command, "-V"], capture_output=True, text=True, check=False)
        return (shown.stdout or shown.stderr).strip().split("\n")[-1]

    def files(self) -> list[pathlib.Path]:
        """The binary and the shared libraries it loads, those of the C library left out."""
        prefix = [] if self.root == pathlib.Path("/") else ["chroot", str(self.root)]
        inside = "/" + str(self.binary.relative_to(self.root))
        shown = subprocess.run([*prefix, "ldd", inside], capture_output=True, text=True, check=False).stdout
        libc = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "ld-linux", "linux-vdso", "libgcc_s.so")
        found = [self.binary]
        for word in shown.split():
            if word.startswith("/") and not any(pathlib.Path(word).name.startswith(name) for name in libc):
                found.append((self.root / word.lstrip("/")).resolve())
        return found


def kawk(binary: str) -> Contestant:
    path = pathlib.Path(binary).resolve()
    return Contestant("kawk", [str(path)], path)


def peer() -> Contestant | None:
    """bpftrace as KAWK_PEER names it: a program, or a wrapper that tells with --root in which folder it keeps one."""
    found = shutil.which(os.environ.get("KAWK_PEER", "bpftrace"))
    if not found:
        return None
    path = pathlib.Path(found).resolve()
    if path.read_bytes()[:4] == b"\x7fELF":
        return Contestant("peer", [str(path)], path)
    root = subprocess.run([found, "--root"], capture_output=True, text=True, check=False).stdout.strip()
    if not pathlib.Path(root).is_dir():
        return Contestant("peer", [found], path)
    # Without the wrapper's own start-up time.
    return Contestant("peer", ["chroot", root, "bpftrace"], pathlib.Path(root) / "usr/bin/bpftrace", pathlib.Path(root))


def peer_tool(contestant: Contestant, name: str) -> pathlib.Path | None:
    """One of bpftrace's ready-made tools, NAME.bt."""
    for folder in PEER_TOOLS:
        path = contestant.root / folder / name
        if path.exists():
            return path
    return None


class Floor:
    """The C programs, compiled into `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.measure = self._compile("measure")
        self.openat_loop = self._compile("openat_loop")
        self.call_loop = self._compile("call_loop")
        self.stacks = self._compile("stacks")
        self.paced = self._compile("paced")
        self.program = self._compile("floor", "-l:libbpf.a", "-lelf", "-lz")
        self.object = folder / "floor.bpf.o"
        machine = os.uname().machine
        target = {"x86_64": "x86", "aarch64": "arm64"}.get(machine, machine)
        subprocess.run(["clang-19", "-target", "bpf", f"-D__TARGET_ARCH_{target}", "-O2", "-g", "-I",
                        f"/usr/include/{machine}-linux-gnu", "-c", FLOOR_SOURCES / "floor.bpf.c", "-o", self.object], check=True)

    def _compile(self, name: str, *libraries: str) -> pathlib.Path:
        target = self.folder / name
        fresh = self.folder / f"{name}.{os.getpid()}"  # another benchmark may be running the one that is there
        subprocess.run(["gcc", "-O2", "-o", fresh, FLOOR_SOURCES / f"{name}.c", *libraries], check=True)
        return fresh.replace(target)

    def command(self, program: str) -> list[str]:
        return [str(self.program), str(self.object), program, str(self.call_loop)]
