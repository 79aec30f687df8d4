"""Limits on all processes of a command together, by a control group: for root, whom the limits of a user do not bind."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import EngineUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOUNT = Path("/sys/fs/cgroup")
_PREFIX = "contexten-"
_EMPTY_SECONDS = 2.0
_FILES = {"pids": ("pids.max", "pids.max"), "memory": ("memory.max", "memory.limit_in_bytes")}
"""Name of a limit in version 2 and in version 1."""


@contextmanager
def group(processes: int, memory: int) -> Iterator[list[Path]]:
    """Groups for one command, as folders; none for a user other than root.

    Args:
        processes: how many it may have at a time.
        memory: how many bytes it may use; not limited where the system has no such group.

    Raises:
        EngineUnavailableError: this user is root, and processes cannot be limited.
    """
    if os.geteuid():
        yield []
        return
    with ExitStack() as stack:
        made = [stack.enter_context(_made(*_place("pids"), processes))]
        with suppress(EngineUnavailableError):
            made.append(stack.enter_context(_made(*_place("memory"), memory)))
        yield made


def problem() -> str | None:
    """What keeps processes from being limited here; None when nothing does."""
    try:
        with group(1, 1024**3):
            return None
    except EngineUnavailableError as error:
        return str(error)


@contextmanager
def _made(parent: Path, file: str, most: int) -> Iterator[Path]:
    _sweep(parent)
    folder = parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"
    try:
        folder.mkdir()
        (folder / file).write_text(str(most), "ascii")
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        raise _none(error) from error
    try:
        yield folder
    finally:
        _remove(folder)


def _place(controller: str) -> tuple[Path, str]:
    """Where groups with a controller can be made, and the name of its limit."""
    newer, older = _FILES[controller]
    for line in Path("/proc/self/cgroup").read_text("ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        own = path.lstrip("/")
        if controller in controllers.split(","):
            mount = _MOUNT / controller
            return (mount / own if (mount / own).is_dir() else mount), older
        if not controllers and (parent := (_MOUNT / own).parent if own else _MOUNT).is_dir():
            with suppress(OSError):
                if controller in (parent / "cgroup.subtree_control").read_text("ascii").split():
                    return parent, newer
    raise _none()


def _none(error: OSError | None = None) -> EngineUnavailableError:
    reason = f" ({error})" if error else ""
    return EngineUnavailableError(
        "The server runs as root, and the system lets it limit no processes by a control group"
        f"{reason}. Run it as an ordinary user."
    )


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _EMPTY_SECONDS
    while time.monotonic() < deadline:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:  # a process in it is still ending
            time.sleep(0.01)
        else:
            return


def _sweep(parent: Path) -> None:
    """Remove the groups of processes that are gone."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            with suppress(OSError):
                folder.rmdir()
