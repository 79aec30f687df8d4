"""What the folders of a codebase hold, remembered between looks: one that shows no change is not listed again."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from contexten.codebase.hidden import is_hidden
from contexten.codebase.languages import language_of

SETTLED_NS = 2_000_000_000
"""What was changed this short ago may change again without its times showing it, on file systems with coarse times."""

_NEVER = frozenset({"__pycache__", "node_modules", "venv"})
_EXACT = frozenset({"bcachefs", "btrfs", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})
"""File systems on which a folder's times change with every name in it; network and shared ones need not do so."""

_MOUNTS = Path("/proc/self/mountinfo")


class Listing(NamedTuple):
    """The names in one folder that a codebase may have, and what the folder's own record said when they were read."""

    stamp: tuple[int, int, int, int]
    folders: tuple[str, ...]
    files: tuple[str, ...]
    links: frozenset[str]
    """Those of the files that are symbolic links."""
    ignores: bool
    """Whether there is a `.gitignore`."""


class Folders:
    """Lists the folders below a root; one look at a time.

    Args:
        root: on a file system that is not known to keep exact times of folders, nothing is remembered.
    """

    def __init__(self, root: Path) -> None:
        self._device = root.stat().st_dev if _file_system(root) in _EXACT else None
        self._before: dict[str, Listing] = {}
        self._now: dict[str, Listing] = {}
        self._begun = 0

    def begin(self) -> None:
        """Begin a look: what the last one did not come by is forgotten."""
        self._before, self._now = self._now, {}
        self._begun = time.time_ns()

    def listing(self, folder: str) -> Listing:
        """The names in a folder as they are now; OSError when it cannot be read."""
        status = os.stat(folder)  # noqa: PTH116 - thousands of times a look, where a Path costs as much as the call
        stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
        found = self._before.get(folder)
        if found is not None and found.stamp == stamp:
            self._now[folder] = found
            return found
        found = _listed(folder, stamp)
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        if status.st_dev == self._device and self._begun - changed > SETTLED_NS:
            self._now[folder] = found
        return found


def _listed(folder: str, stamp: tuple[int, int, int, int]) -> Listing:
    folders, files, links, ignores = [], [], [], False
    with os.scandir(folder) as entries:
        for each in entries:
            name = each.name
            if name == ".gitignore":
                ignores = True
            if is_hidden(name):
                continue
            if each.is_dir(follow_symlinks=False):
                if name not in _NEVER:
                    folders.append(name)
            elif language_of(name):
                files.append(name)
                if each.is_symlink():
                    links.append(name)
    return Listing(stamp, tuple(folders), tuple(files), frozenset(links), ignores)


def _file_system(root: Path) -> str | None:
    """The type of the file system that a folder lies on, where the system tells (proc(5), mountinfo)."""
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    places = {_unescaped(line.split(" ")[4]): line.partition(" - ")[2].split(" ")[0] for line in lines}
    return next((places[str(each)] for each in (root, *root.parents) if str(each) in places), None)


def _unescaped(place: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place)
