"""The walls of the sandbox: what bubblewrap is told to let a command see, and whether it can work on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines import cgroups
from contexten.engines.base import Availability

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOME = "/home/agent"
"""Home folder of a command: empty, and gone when it ends."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_SCRATCH = ("/tmp", HOME, "/dev/shm")  # noqa: S108 - the sandbox's own
_SCRATCH_BYTES = 1024**3
_TRY_SECONDS = 20.0
_DOUBT_SECONDS = 10.0
_PROGRAMS = ("/usr", "/nix/store", "/gnu/store", "/run/current-system/sw")
_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "fonts", "group", "gitattributes",
    "host.conf", "hosts", "java", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "login.defs", "magic",
    "mime.types", "nsswitch.conf", "os-release", "passwd", "pki", "profile", "protocols", "services", "shells", "ssl",
    "timezone",
)  # fmt: skip
_SWITCHES = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)
"""Settings of the system that forbid user namespaces: name, the value that does, one that does not."""
_OPT_OUT = "CONTEXTEN_SANDBOX=none lets commands of a model run without one, with all that this user may read and do"

_tried: dict[str, tuple[str, float]] = {}
"""What was wrong, and when that was found out."""


def walls(root: Path, *, hidden: Sequence[Path], readable: Sequence[Path], network: bool) -> list[str]:
    """The command line of bubblewrap up to the command.

    Args:
        root: the folder that can be written; seen at its own place.
        hidden: folders, and files that are there, that are empty for the command.
        readable: folders that it can read.
        network: whether it has one.
    """
    program = shutil.which("bwrap") or "bwrap"
    return [
        program,
        *_apart(program, network=network),
        *_system(program, network=network),
        *_project(root, hidden, readable),
    ]


def path(readable: Sequence[Path]) -> str:
    """Where a command looks for programs."""
    return ":".join([*(str(folder / "bin") for folder in readable if (folder / "bin").is_dir()), PATH])


def availability() -> Availability:
    """Whether bubblewrap can do all of that here. The first call tries it, which takes a moment."""
    if sys.platform != "linux":
        return Availability(
            False, f"bubblewrap is for Linux. Run the server in a container or a virtual machine; {_OPT_OUT}."
        )
    program = shutil.which("bwrap")
    if program is None:
        return Availability(
            False,
            f"bubblewrap is not installed. Install it: apt-get install bubblewrap, dnf install bubblewrap; {_OPT_OUT}.",
        )
    problem, tried_at = _tried.get(program, ("", 0.0))
    if not tried_at or (problem and time.monotonic() - tried_at > _DOUBT_SECONDS):
        problem = cgroups.problem() or _fault(program)
        _tried[program] = problem, time.monotonic()
    return Availability(False, f"{problem} Or: {_OPT_OUT}.") if problem else Availability(True, _version(program))


def _apart(program: str, *, network: bool) -> Iterator[str]:
    yield from ("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
    if not network:
        yield "--unshare-net"
    if "--disable-userns" in _options(program):
        yield "--disable-userns"
    yield from ("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox")


def _system(program: str, *, network: bool) -> Iterator[str]:
    for folder in _PROGRAMS:
        yield from ("--ro-bind-try", folder, folder)
    for name in _TOP:
        place = Path("/", name)
        if place.is_symlink():
            yield from ("--symlink", str(place.readlink()), str(place))
        else:
            yield from ("--ro-bind-try", str(place), str(place))
    for name in (*_ETC, *(("resolv.conf",) if network else ())):
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    # Where the server is root, a command could else set the machine's kernel parameters.
    yield from ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")
    for folder in _SCRATCH:
        if "--size" in _options(program):
            yield from ("--size", str(_SCRATCH_BYTES))
        yield from ("--tmpfs", folder)
    yield from ("--remount-ro", "/dev", "--symlink", "../tmp", "/var/tmp")  # noqa: S108 - the sandbox's own


def _project(root: Path, hidden: Sequence[Path], readable: Sequence[Path]) -> Iterator[str]:
    for folder in readable:
        yield from ("--ro-bind-try", str(folder), str(folder))
    visible = [*map(Path, _PROGRAMS), *readable]
    for folder in hidden:
        if any(folder.is_relative_to(place) for place in visible):
            yield from ("--tmpfs", str(folder)) if folder.is_dir() else ("--ro-bind", "/dev/null", str(folder))
    yield from ("--bind", str(root), str(root), "--chdir", str(root), "--remount-ro", "/")


@cache
def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - bwrap


def _fault(program: str) -> str:
    """What keeps bubblewrap from working, and what to do; empty when nothing does."""
    root = Path("/usr")
    try:
        done = subprocess.run(  # noqa: S603 - bwrap, with our words
            [*walls(root, hidden=(), readable=(), network=False)[:-2], "--", "/bin/sh", "-c", ":"],
            capture_output=True,
            text=True,
            timeout=_TRY_SECONDS,
            env={"PATH": PATH},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap ({program}) cannot be started: {error}."
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return f"bubblewrap does not work here: {said[0]}.{_advice()}"


def _advice() -> str:
    """How to allow what bubblewrap needs, when the system forbids it by a setting."""
    for name, forbids, allowed in _SWITCHES:
        with suppress(OSError):
            if Path("/proc/sys", name.replace(".", "/")).read_text("ascii").strip() == forbids:
                return f" The system forbids user namespaces; allow them: sudo sysctl -w {name}={allowed}"
    return " In a container, it needs leave to make user namespaces; run the server outside, or as its own container."


@cache
def _options(program: str) -> frozenset[str]:
    """The options that the installed version knows."""
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - bwrap
    return frozenset(word for word in told.split() if word.startswith("--"))
