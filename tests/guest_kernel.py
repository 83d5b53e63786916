"""Debian's kernels for the guests: fetched once into the cache, with an apt set-up of its own beside the machine's."""

import dataclasses
import lzma
import pathlib
import re
import subprocess
import tarfile
import tempfile

# The name that --kernel takes, and Debian's release that has this kernel. The machine's own packages stay as they are.
SUITES = {"6.1": "bookworm", "6.12": "trixie", "7": "sid"}
KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The cloud flavour: a quarter of the size, everything that tracing needs, no driver that a guest without devices would miss.
META = "linux-image-cloud-{architecture}"
# Modules that tests trace: small, loaded by nothing else.
MODULES = ("dummy",)
# How long the mirror may be silent.
PATIENCE = ("-oAcquire::Retries=2", "-oAcquire::http::Timeout=30", "-oAcquire::https::Timeout=30")


class KernelError(Exception):
    """Why there is no kernel to boot."""


@dataclasses.dataclass
class Kernel:
    """A kernel that QEMU can boot."""

    name: str  # as --kernel has it
    release: str  # as uname -r will say
    image: pathlib.Path
    modules: list[pathlib.Path]


def _run(command: list[str], **keywords) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **keywords)
    if done.returncode != 0:
        raise KernelError(f"{' '.join(command[:2])} failed:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout


def _mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    targets = _run(["apt-get", "indextargets", "--format", "$(LABEL) $(SITE)", "Created-By: Packages"]).split("\n")
    sites = [line.rpartition(" ")[::2] for line in targets if line]
    # Labels are known only once apt has fetched its lists; without them the name has to do.
    for label, site in sites:
        if label == "Debian" or (label.startswith("$") and "security" not in site):
            return site
    raise KernelError("apt knows no Debian mirror here (apt-get indextargets)")


class Apt:
    """apt for one suite of Debian, with lists and state of its own in `folder`; proxies and keys are the machine's."""

    def __init__(self, folder: pathlib.Path, suite: str, mirror: str) -> None:
        self.folder = folder.resolve()
        for part in ("lists/partial", "cache/archives/partial", "parts"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "status").touch()
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        (self.folder / "sources.list").write_text(f"deb {signed}{mirror} {suite} main\n")
        own = {"Dir::Etc::SourceList": "sources.list", "Dir::Etc::SourceParts": "parts", "Dir::State": "",
               "Dir::State::Lists": "lists", "Dir::State::Status": "status", "Dir::Cache": "cache"}
        self._options = [f"-o{key}={self.folder / value}" for key, value in own.items()]
        # As root apt would fetch as a user who may not write here.
        self._options += ["-oAcquire::Languages=none", "-oAPT::Sandbox::User=root", "-oAPT::Update::Error-Mode=any", *PATIENCE]

    def run(self, tool: str, *arguments: str) -> str:
        return _run([tool, *arguments, "-q", *self._options], cwd=self.folder)

    def field(self, package: str, name: str) -> str:
        """A field of the newest version of `package`; empty when there is none."""
        try:
            text = self.run("apt-cache", "show", "--no-all-versions", package)
        except KernelError:
            return ""
        match = re.search(rf"^{name}: (.*)$", text, re.MULTILINE)
        return match[1] if match else ""


def _unpack(package: pathlib.Path, folder: pathlib.Path) -> None:
    """Takes the kernel image and the modules that tests need out of a package."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as tar:
            for member in tar:
                name = pathlib.PurePath(member.name).name
                module, _, packed = name.partition(".ko")
                if not member.isfile():
                    continue
                if name.startswith("vmlinuz"):
                    (folder / "vmlinuz").write_bytes(tar.extractfile(member).read())
                elif module in MODULES and packed in ("", ".xz"):
                    data = tar.extractfile(member).read()
                    (folder / f"{module}.ko").write_bytes(lzma.decompress(data) if packed else data)


def _download(name: str, folder: pathlib.Path, mirror: str) -> None:
    """Fetches kernel `name` into `folder`, which is put in place only when it is whole."""
    architecture = _run(["dpkg", "--print-architecture"]).strip()
    if architecture != "amd64":
        raise KernelError(f"guests are set up for amd64 only, this is {architecture}")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as work:
        apt = Apt(pathlib.Path(work) / "apt", SUITES[name], mirror)
        apt.run("apt-get", "update")
        depends = apt.field(META.format(architecture=architecture), "Depends")
        release = re.search(r"linux-image-(\d\S*)", depends)
        if not release or not release[1].startswith(f"{name}."):
            raise KernelError(f"{SUITES[name]} has no kernel {name}, but: {depends or 'none'}")
        # One package with everything, or one for the image and one for the modules.
        kinds = [kind for kind in ("binary", "modules") if apt.field(f"linux-{kind}-{release[1]}", "Package")] or ["image"]
        apt.run("apt-get", "download", *(f"linux-{kind}-{release[1]}" for kind in kinds))
        whole = pathlib.Path(work) / "whole"
        whole.mkdir()
        for package in sorted(apt.folder.glob("*.deb")):
            _unpack(package, whole)
        if absent := {"vmlinuz", *(f"{module}.ko" for module in MODULES)} - {path.name for path in whole.iterdir()}:
            raise KernelError(f"no {', '.join(sorted(absent))} in the packages of {release[1]}")
        (whole / "release").write_text(release[1])
        whole.rename(folder)


def fetch(name: str, cache: pathlib.Path, mirror: str = "") -> Kernel:
    """Kernel `name`, from the cache or from `mirror` (default: where this machine gets its packages). It stays in the cache
    until its folder is removed."""
    folder = cache / f"linux-{name}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"fetching Debian's kernel {name} …", flush=True)
        try:
            _download(name, folder, mirror or _mirror())
        except KernelError as error:
            raise KernelError(f"cannot fetch kernel {name}; --kernel this does without. {error}") from None
    modules = [folder / f"{module}.ko" for module in MODULES]
    if not all(path.exists() for path in (folder / "release", folder / "vmlinuz", *modules)):
        raise KernelError(f"{folder} holds no whole kernel: remove it")
    return Kernel(name, (folder / "release").read_text(), folder / "vmlinuz", modules)
