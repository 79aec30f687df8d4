"""Which process serves a data folder now. The server leaves a note and holds a lock; whoever looks needs both.

The note alone may be old, and another program may listen at its address by now: the folder's token is not for that one.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "server.lock"
NOTE = "server.json"


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
            data = json.loads((data_dir / NOTE).read_text("utf-8"))
            return cls(int(data["pid"]), str(data["base_url"]), str(data["command"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def current(cls, data_dir: Path) -> Holder | None:
        """The process that holds a data folder now: what listens at its address is the server of that folder."""
        return cls.read(data_dir) if is_held(data_dir) else None

    @property
    def stays(self) -> bool:
        """Whether it is a server that was started to stay, and not one inside another command."""
        return self.command.endswith(" up")


def is_held(data_dir: Path) -> bool:
    """Whether some process has the lock; the shared one that is tried here goes with the descriptor."""
    if sys.platform == "win32":
        return True  # the note alone tells: there is no looking without taking
    import fcntl

    try:
        descriptor = os.open(data_dir / LOCK, os.O_RDONLY)
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
