"""What this machine offers to live tests, and what a tracer may have left behind on it."""

import glob
import ctypes
import os
import pathlib
import platform
import re
import shutil
import time

TRACEFS = pathlib.Path("/sys/kernel/tracing")
PERF_DEVICES = pathlib.Path("/sys/bus/event_source/devices")
SYSCALL_BPF = {"x86_64": 321, "aarch64": 280}
SYSCALL_PERF = {"x86_64": 298, "aarch64": 241}
_libc = ctypes.CDLL(None, use_errno=True)


def _has_hardware_counters() -> bool:
    """Tries to open a CPU cycle counter: virtual machines often have none."""
    number = SYSCALL_PERF.get(platform.machine())
    if number is None:
        return False
    attribute = ctypes.create_string_buffer(128)
    attribute[4:8] = (128).to_bytes(4, "little")  # size; type and config 0 are PERF_TYPE_HARDWARE, CPU_CYCLES
    fd = _libc.syscall(number, attribute, 0, -1, -1, 0)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def _has_function_tracer() -> bool:
    """Some kernels have the list of traceable functions but let nobody read it."""
    try:
        with open(TRACEFS / "available_filter_functions", encoding="utf-8") as functions:
            return functions.readline() != ""
    except OSError:
        return False


def not_booted_with(options: str) -> str:
    """Those of the kernel command line's `options` that this kernel was not given."""
    given = pathlib.Path("/proc/cmdline").read_text().split()
    return " ".join(option for option in options.split() if option not in given)


# What a report says of a need that is not met.
ABSENT = {
    "symbol": "the kernel lists no symbol {}",
    "tracepoint": "the kernel has no tracepoint {}",
    "kprobe": "the kernel has no kprobes",
    "uprobe": "the kernel has no uprobes",
    "hardware": "the kernel has no hardware counters here",
    "no-hardware": "there are hardware counters",
    "breakpoint": "the kernel has no hardware breakpoints here",
    "functions": "the kernel has no function tracer (kprobe_multi, fentry)",
    "module": "the kernel has no module {} loaded",
    "btf": "the kernel has no BTF",
    "tool": "there is no {}",
    "compiler": "there is no {}",
    "uninterrupted": "since Linux 7 programs of tracepoints may be interrupted by others",
    "unwinding": "the verifiers of Linux 6.1 and 7 give up on dw_ustack",
    "linux": "needs Linux {}",
    "kawk": "is about kawk alone",
}


def missing(need: str, is_peer: bool) -> str | None:
    """Why `need` is not met here; None when it is."""
    kind, _, what = need.partition(" ")
    if kind == "tracepoint":
        found = (TRACEFS / "events" / what.replace(":", "/")).is_dir()
    elif kind in ("kprobe", "uprobe"):
        found = (PERF_DEVICES / kind).is_dir()
    elif kind in ("hardware", "no-hardware"):
        found = _has_hardware_counters() == (kind == "hardware")
    elif kind == "breakpoint":
        found = (PERF_DEVICES / "breakpoint").is_dir()
    elif kind == "symbol":
        with open("/proc/kallsyms", encoding="utf-8") as symbols:
            found = any(line.split()[2] == what for line in symbols)
    elif kind == "functions":
        found = _has_function_tracer()
    elif kind == "module":
        found = pathlib.Path("/sys/module", what).is_dir()
    elif kind == "btf":
        found = pathlib.Path("/sys/kernel/btf/vmlinux").exists()
    elif kind in ("tool", "compiler"):
        found = shutil.which(what) is not None
    elif kind == "linux":
        found = [int(part) for part in re.findall(r"\d+", platform.release())[:2]] >= [int(part) for part in what.split(".")]
    elif kind == "uninterrupted":  # no task gets the CPU in the middle of a tracepoint's program
        found = int(platform.release().split(".")[0]) < 7
    elif kind == "unwinding":  # the verifiers of 6.1 and 7 take every way through the search in dw_ustack's tables
        found = (6, 12) <= tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2]) < (7, 0)
    elif kind == "kawk":
        found = not is_peer
    else:
        raise ValueError(f"unknown need `{need}`")
    return None if found else ABSENT[kind].format(what)


def _bpf_ids(get_next_id: int) -> set[int]:
    """All ids that a command of bpf(2) enumerates."""
    number = SYSCALL_BPF.get(platform.machine())
    attribute = (ctypes.c_uint32 * 32)()
    ids: set[int] = set()
    while number and _libc.syscall(number, get_next_id, attribute, 128) == 0:
        attribute[0] = attribute[1]  # next_id becomes start_id
        ids.add(attribute[0])
    return ids


def program_ids() -> set[int]:
    """The ids of all BPF programs of the kernel."""
    return _bpf_ids(11)


def link_ids() -> set[int]:
    """The ids of all BPF links of the kernel."""
    return _bpf_ids(31)


def kept_in_files() -> set[str]:
    """Probes that live in tracefs until somebody removes them, and what is pinned in the BPF file system."""
    kept = set()
    for name in ("uprobe_events", "kprobe_events"):
        try:
            kept |= set((TRACEFS / name).read_text().splitlines())
        except OSError:
            continue
    return kept | {str(path) for path in pathlib.Path("/sys/fs/bpf").glob("**/*") if path.is_file()}


def _owned(ids: set[int], kind: str) -> set[int]:
    """Those of `ids` that a living process has a descriptor of: another user's, not left behind. `kind`: prog or link."""
    owned: set[int] = set()
    for entry in glob.iglob("/proc/[0-9]*/fdinfo/*"):  # pathlib's gives up when a process ends under it
        try:
            match = re.search(rf"^{kind}_id:\s*(\d+)", pathlib.Path(entry).read_text(), re.MULTILINE)
        except OSError:
            continue
        if match:
            owned.add(int(match[1]))
    return owned & ids


def _orphans(ids, before: set[int], kind: str, patience: float) -> set[int]:
    """Ids that came since `before` and that no process holds. The kernel frees some only after a grace period, so it gets
    some time."""
    deadline = time.monotonic() + patience
    while (new := ids() - before) and (new := new - _owned(new, kind)):
        if time.monotonic() > deadline:
            return new
        time.sleep(0.05)
    return set()


def state() -> tuple[set[int], set[int], set[str]]:
    """What there is before a test: programs, links, entries in files."""
    return program_ids(), link_ids(), kept_in_files()


def left_behind(before: tuple[set[int], set[int], set[str]], patience: float) -> list[str]:
    """What came since and belongs to nobody, in words."""
    programs, links, files = before
    found = []
    if left := _orphans(program_ids, programs, "prog", patience):
        found.append(f"BPF programs left behind: {sorted(left)}")
    if left := _orphans(link_ids, links, "link", patience):
        found.append(f"BPF links left behind: {sorted(left)}")
    if left := kept_in_files() - files:
        found.append(f"entries left behind: {sorted(left)}")
    return found


def session_members(session: int) -> list[int]:
    """The processes of a session that are still alive."""
    members = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            members.append(int(entry.name))
    return members
