"""The lock of a data folder: one process at a time, and a note that says which."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from contexten.client.holder import LOCK, NOTE, Holder, is_held
from contexten.errors import DataDirectoryInUseError, SettingsError

_PRIVATE = 0o600
_PROBED_SECONDS = 0.2
"""Longer than somebody who only looks whether the folder is held keeps the lock, unless the machine is busy."""
_TRIES = 50


class DataLock:
    """Holds a data folder for this process. The system lets go of it when the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock = FileLock(data_dir / LOCK, mode=_PRIVATE, thread_local=False)

    def acquire(self, base_url: str) -> None:
        """Take the folder, making it when it is not there.

        Raises:
            DataDirectoryInUseError: another process holds it; the message says which and where it serves.
            SettingsError: it cannot be made or written.
        """
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take()
            (self._data_dir / LOCK).chmod(_PRIVATE)
            _leave(Holder(os.getpid(), base_url, _command()), self._data_dir)
        except Timeout:
            raise in_use(self._data_dir) from None
        except OSError as error:
            self._lock.release()
            raise SettingsError(
                f"The data folder {self._data_dir} cannot be used: {error.strerror or error}. "
                f"Make it yours to write, or choose another: CONTEXTEN_DATA_DIR, or up --data-dir."
            ) from error

    def _take(self) -> None:
        for tries_left in reversed(range(_TRIES)):
            try:
                self._lock.acquire(timeout=_PROBED_SECONDS, poll_interval=_PROBED_SECONDS / 10)
            except Timeout:
                if not tries_left or is_held(self._data_dir):
                    raise
            else:
                return

    def release(self) -> None:
        """Let go of the folder; does nothing when it is not held."""
        if self._lock.is_locked:
            (self._data_dir / NOTE).unlink(missing_ok=True)
            self._lock.release()


def _leave(holder: Holder, data_dir: Path) -> None:
    """Leave the note for other processes."""
    draft = data_dir / f".{NOTE}.{holder.pid}"
    draft.touch(_PRIVATE)
    draft.write_text(json.dumps(asdict(holder)), "utf-8")
    draft.replace(data_dir / NOTE)


def in_use(data_dir: Path) -> DataDirectoryInUseError:
    """The error that names who holds a data folder."""
    holder = Holder.read(data_dir)
    if holder is None:
        return DataDirectoryInUseError(f"The data folder {data_dir} is in use by another process.")
    message = (
        f"The data folder {data_dir} is in use by pid {holder.pid} ({holder.command}). "
        f"It is already running: {holder.base_url}"
    )
    return DataDirectoryInUseError(message, pid=holder.pid, base_url=holder.base_url)


def _command() -> str:
    """This program and its first word, without the rest of the line: that may hold prompts or secrets."""
    program = Path(sys.argv[0] or "python").name
    words = [word for word in sys.argv[1:2] if word.isalpha()]
    return " ".join([program, *words])
