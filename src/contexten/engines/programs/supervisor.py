"""Runs one command and ends all that it has started: when it ends, when told to (SIGTERM), and when its parent is gone.

Started by `process` as a program of its own, with the standard library alone: `supervisor.py PARENT_PID COMMAND…`. A process
group would not do, because coding agents give the commands that they run groups and sessions of their own.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE = 2.0
"""Seconds that the command has to end by itself once it is told to."""
_LOOK = 1.0
"""Seconds between two looks whether the parent is still there."""
_NOT_STARTED = 127
_BY_SIGNAL = 128
_ROUNDS = 200
_ROUND = 0.02
_SET_CHILD_SUBREAPER = 36
"""Option of prctl: processes whose parent has ended become children of this one. Source: linux/prctl.h."""


def main(parent: int, command: list[str]) -> int:
    """Run the command; its exit code, as a shell gives it."""
    _adopt_orphans()
    told = _Told()
    try:
        child = subprocess.Popen(command, process_group=0)  # noqa: S603 - the command is the server's
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror or error}\n")
        return _NOT_STARTED
    while child.poll() is None:
        if told.wait() or os.getppid() != parent:
            _ask_to_end(child, told)
            break
    _kill_all(child)
    code = child.wait()
    return code if code >= 0 else _BY_SIGNAL - code


class _Told:
    """Wakes up for signals; knows whether the one that ends everything has come."""

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._ended = False

    def _note(self, *_: object) -> None:
        self._ended = True

    def wait(self, seconds: float = _LOOK) -> bool:
        """Sleep until a signal comes or the time is over; whether to end."""
        if select.select([self._reading], [], [], seconds)[0]:
            os.read(self._reading, 512)
        return self._ended


def _ask_to_end(child: subprocess.Popen[bytes], told: _Told) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while child.poll() is None and (left := deadline - time.monotonic()) > 0:
        told.wait(left)


def _kill_all(child: subprocess.Popen[bytes]) -> None:
    """Kill the command and everything below it; what it starts meanwhile is found in the next round."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for _ in range(_ROUNDS):
        found = _descendants()
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _bury()
        time.sleep(_ROUND)


def _bury() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants() -> list[int]:
    """The processes below this one, as far as the system tells (Linux)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, pending = [], [os.getpid()]
    while pending:
        below = children.pop(pending.pop(), [])
        found += below
        pending += below
    return found


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
