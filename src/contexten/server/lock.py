"""The lock of a data folder: one process at a time, and a note that says which."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from contexten.errors import DataDirectoryInUseError, SettingsError

_LOCK = "server.lock"
_NOTE = "server.json"
_PRIVATE = 0o600
_PROBED_SECONDS = 0.2
"""Longer than somebody who only looks whether the folder is held keeps the lock."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a data folder."""

    pid: int
    base_url: str
    command: str
    """Its program and first word, such as `contexten up`."""

    @classmethod
    def read(cls, data_dir: Path) -> Holder | None:
        """What the note in a data folder says; None without one. The process may have ended since."""
        try:
            data = json.loads((data_dir / _NOTE).read_text("utf-8"))
            return cls(int(data["pid"]), str(data["base_url"]), str(data["command"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def current(cls, data_dir: Path) -> Holder | None:
        """The process that holds a data folder now: what listens at its address is the server of that folder."""
        return cls.read(data_dir) if _is_held(data_dir / _LOCK) else None

    @property
    def stays(self) -> bool:
        """Whether it is a server that was started to stay, and not one inside another command."""
        return self.command.endswith(" up")

    def write(self, data_dir: Path) -> None:
        """Leave the note for other processes."""
        draft = data_dir / f".{_NOTE}.{self.pid}"
        draft.touch(_PRIVATE)
        draft.write_text(json.dumps(asdict(self)), "utf-8")
        draft.replace(data_dir / _NOTE)


class DataLock:
    """Holds a data folder for this process. The system lets go of it when the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock = FileLock(data_dir / _LOCK, mode=_PRIVATE, thread_local=False)

    def acquire(self, base_url: str) -> None:
        """Take the folder, making it when it is not there.

        Raises:
            DataDirectoryInUseError: another process holds it; the message says which and where it serves.
            SettingsError: it cannot be made or written.
        """
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=_PROBED_SECONDS, poll_interval=_PROBED_SECONDS / 10)
            (self._data_dir / _LOCK).chmod(_PRIVATE)
            Holder(os.getpid(), base_url, _command()).write(self._data_dir)
        except Timeout:
            raise in_use(self._data_dir) from None
        except OSError as error:
            self._lock.release()
            raise SettingsError(
                f"The data folder {self._data_dir} cannot be used: {error.strerror or error}. "
                f"Make it yours to write, or choose another: CONTEXTEN_DATA_DIR, or up --data-dir."
            ) from error

    def release(self) -> None:
        """Let go of the folder; does nothing when it is not held."""
        if self._lock.is_locked:
            (self._data_dir / _NOTE).unlink(missing_ok=True)
            self._lock.release()


def _is_held(path: Path) -> bool:
    """Whether some process has the lock; the shared one that is tried here goes with the descriptor."""
    if sys.platform == "win32":
        return True  # the note alone tells: there is no looking without taking
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


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
