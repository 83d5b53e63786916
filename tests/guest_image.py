"""The initramfs of the guests: busybox, Python for the live runner, kawk, the trigger programs, and the libraries of all."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent
# Where the guest has what is ours.
HOME = pathlib.PurePath("/kawk")
BINARY = HOME / "bin" / "kawk"
TRIGGERS = HOME / "triggers"
PEER = pathlib.PurePath("/peer")
PEER_WRAPPER = HOME / "bin" / "peer"

# The kernel starts this. The shell stays process 1: it collects orphans, and its end switches the machine off.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH={home}/bin:/usr/bin:/bin
mount -t proc proc /proc
ifconfig lo 127.0.0.1 up
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ln -s /proc/self/fd /dev/fd
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/shm /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm
ip link set lo up
if [ -d {peer} ]; then
  for folder in proc sys dev tmp kawk; do
    mkdir -p {peer}/$folder
    mount --rbind /$folder {peer}/$folder
  done
fi
for module in {home}/modules/*; do insmod $module; done
{python} -S -E -u {home}/tests/guest_agent.py
poweroff -f
"""

WRAPPER = """#!/bin/sh
exec chroot {peer} {binary} "$@"
"""


class Archive:
    """A cpio archive in the "newc" form that the kernel unpacks into its first file system."""

    def __init__(self, path: pathlib.Path) -> None:
        self._out = path.open("wb")
        self._names: set[str] = set()

    def _entry(self, name: str, mode: int, content: bytes, mtime: int = 0) -> None:
        self._names.add(name)
        encoded = name.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = [len(self._names), mode, 0, 0, links, mtime & 0xFFFFFFFF, len(content), 0, 0, 0, 0, len(encoded), 0]
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        for part in (header, content):
            self._out.write(part + b"\0" * (-len(part) % 4))

    def _parents(self, name: str) -> None:
        parent = os.path.dirname(name)
        if parent and parent not in self._names:
            self._parents(parent)
            self._entry(parent, stat.S_IFDIR | 0o755, b"")

    def folder(self, name) -> None:
        self._parents(str(name).lstrip("/") + "/x")

    def text(self, name, content: str, mode: int = 0o644) -> None:
        name = str(name).lstrip("/")
        self._parents(name)
        self._entry(name, stat.S_IFREG | mode, content.encode())

    def link(self, name, target) -> None:
        name = str(name).lstrip("/")
        self._parents(name)
        self._entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def file(self, name, source: pathlib.Path) -> None:
        """The content of `source` as `name`, once."""
        name = str(name).lstrip("/")
        if name in self._names:
            return
        self._parents(name)
        status = source.stat()
        # Python takes its compiled files only when the time of the source is the one they were made from.
        self._entry(name, stat.S_IFREG | stat.S_IMODE(status.st_mode), source.read_bytes(), int(status.st_mtime))

    def close(self) -> None:
        self._entry("TRAILER!!!", 0, b"")
        self._out.close()


def libraries(binary: pathlib.Path, root: str = "/") -> list[str]:
    """The shared libraries of a program, by the names under which its loader looks for them."""
    chroot = ["chroot", root] if root != "/" else []
    done = subprocess.run([*chroot, "ldd", str(binary)], capture_output=True, text=True, check=False)
    return re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x", done.stdout, re.MULTILINE)


def _program(archive: Archive, source: pathlib.Path, name=None) -> None:
    """A program with what it needs."""
    archive.file(name or source, source)
    for library in libraries(source):
        archive.file(library, pathlib.Path(library))


def _python(archive: Archive) -> pathlib.Path:
    """This Python with the modules that the agent loads, not the whole library; its path."""
    files = "{m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)}"
    show = f"import sys, guest_agent; print(*{files}, sep='\\n')"
    done = subprocess.run([sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(TESTS)!r}); {show}"],
                          capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        path = pathlib.Path(line)
        if path.is_relative_to(TESTS):
            archive.file(HOME / "tests" / path.name, path)
        elif path.suffix == ".so":
            _program(archive, path)
        else:
            archive.file(path, path)
            compiled = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
            if compiled.exists():
                archive.file(compiled, compiled)
    python = pathlib.Path(sys.executable).resolve()
    _program(archive, python)
    return python


def _peer(archive: Archive, peer: pathlib.Path) -> None:
    """The peer with its libraries, under PEER: from a chroot (a folder), or from this machine (a program)."""
    root = str(peer) if peer.is_dir() else "/"
    binary = "/usr/bin/bpftrace" if peer.is_dir() else str(peer.resolve())
    for name in [binary, *libraries(pathlib.Path(binary), root)]:
        # Symbolic links resolve inside the chroot only when they are relative, as Debian's are.
        archive.file(f"{PEER}{name}", pathlib.Path(root) / name.lstrip("/"))
    for name in ("etc/passwd", "etc/group", "etc/ld.so.cache"):
        if (source := pathlib.Path(root) / name).exists():
            archive.file(f"{PEER}/{name}", source)
    archive.text(PEER_WRAPPER, WRAPPER.format(peer=PEER, binary=binary), 0o755)


def build(target: pathlib.Path, kawk: pathlib.Path, triggers: pathlib.Path, modules: list[pathlib.Path], tools: list[str],
          peer: pathlib.Path | None) -> None:
    """Writes the initramfs. `modules` are loaded at boot. `tools` are programs of this machine that tests name; those it does
    not have are left out."""
    archive = Archive(target)
    for folder in ("proc", "sys", "dev", "tmp", "run", "root"):
        archive.folder(folder)
    archive.file("bin/busybox", pathlib.Path(shutil.which("busybox")))
    for tool in ["sh", *tools]:  # busybox's sh would take its own applets instead of the tools
        if path := shutil.which(tool):
            _program(archive, pathlib.Path(path).resolve(), f"/usr/bin/{tool}")
    _program(archive, kawk, BINARY)
    for trigger in sorted(triggers.iterdir()):
        _program(archive, trigger, TRIGGERS / trigger.name)
    for module in modules:
        archive.file(HOME / "modules" / module.name, module)
    for path in sorted((TESTS / "live").glob("*.test")):
        archive.file(HOME / "tests" / "live" / path.name, path)
    for name in ("/etc/passwd", "/etc/group", "/etc/ld.so.cache"):
        archive.file(name, pathlib.Path(name))
    if peer:
        _peer(archive, peer)
    python = _python(archive)
    archive.link("bin/sh", "/usr/bin/sh")
    archive.link("usr/bin/env", "/bin/busybox")  # for shebangs
    archive.text("init", INIT.format(home=HOME, peer=PEER, python=python), 0o755)
    archive.close()
