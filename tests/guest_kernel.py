"""Debian's kernels for the guests: fetched once into the cache, with an apt set-up of its own beside the machine's."""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile

# The name that --kernel takes, and Debian's release that has this kernel. The machine's own packages stay as they are.
SUITES = {"6.1": "bookworm", "6.12": "trixie", "7": "sid"}
KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# The cloud flavour: a quarter of the size, everything that tracing needs, no driver that a guest without devices would miss.
META = "linux-image-cloud-{architecture}"


class KernelError(Exception):
    """Why there is no kernel to boot."""


@dataclasses.dataclass
class Kernel:
    """A kernel that QEMU can boot."""

    name: str  # as --kernel has it
    release: str  # as uname -r will say
    image: pathlib.Path


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

    def __init__(self, folder: pathlib.Path, suite: str) -> None:
        self.folder = folder
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        (folder / "status").touch()
        signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
        (folder / "sources.list").write_text(f"deb {signed}{_mirror()} {suite} main\n")
        own = {"Dir::Etc::SourceList": "sources.list", "Dir::State": "", "Dir::State::Lists": "lists",
               "Dir::State::Status": "status", "Dir::Cache": "cache"}
        self._options = [f"-o{key}={folder / value}" for key, value in own.items()]
        # As root apt would fetch as a user who may not write here.
        self._options += ["-oDir::Etc::SourceParts=-", "-oAcquire::Languages=none", "-oAPT::Sandbox::User=root",
                          "-oAPT::Update::Error-Mode=any"]

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


def _unpack(package: pathlib.Path, target: pathlib.Path) -> None:
    """Takes the kernel image out of a package."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile() and pathlib.Path(member.name).name.startswith("vmlinuz"):
                    with target.open("wb") as out:
                        shutil.copyfileobj(tar.extractfile(member), out)
                    unpacker.kill()  # the rest is modules
                    return
    raise KernelError(f"no kernel image in {package.name}")


def _download(name: str, folder: pathlib.Path) -> None:
    """Fetches kernel `name` into `folder`, which is put in place only when it is whole."""
    architecture = _run(["dpkg", "--print-architecture"]).strip()
    if architecture != "amd64":
        raise KernelError(f"guests are set up for amd64 only, this is {architecture}")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as work:
        apt = Apt(pathlib.Path(work) / "apt", SUITES[name])
        apt.run("apt-get", "update")
        depends = apt.field(META.format(architecture=architecture), "Depends")
        release = re.search(r"linux-image-(\d\S*)", depends)
        if not release or not release[1].startswith(f"{name}."):
            raise KernelError(f"{SUITES[name]} has no kernel {name}, but: {depends or 'none'}")
        # Newer packages of this name hold only the modules: there the image has one of its own.
        package = next((p for p in (f"linux-binary-{release[1]}", f"linux-image-{release[1]}") if apt.field(p, "Package")), None)
        if not package:
            raise KernelError(f"{SUITES[name]} has no package with the image of {release[1]}")
        apt.run("apt-get", "download", package)
        whole = pathlib.Path(work) / "whole"
        whole.mkdir()
        _unpack(next(apt.folder.glob("*.deb")), whole / f"vmlinuz-{release[1]}")
        whole.rename(folder)


def fetch(name: str, cache: pathlib.Path) -> Kernel:
    """Kernel `name`, from the cache or from Debian's mirror. It stays in the cache until its folder is removed."""
    folder = cache / name
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"fetching Debian's kernel {name} …", flush=True)
        _download(name, folder)
    image = next(folder.glob("vmlinuz-*"), None)
    if image is None:
        raise KernelError(f"no kernel in {folder}: remove that folder")
    return Kernel(name, image.name.removeprefix("vmlinuz-"), image)
