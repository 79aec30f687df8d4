"""How much a folder holds, and stopping what fills it: a watcher, because a user who is not root has no quotas to set.

It looks every half second at the free space of the disk, which costs nothing, and goes through the folder only when that has
shrunk. What a command writes between two looks is not prevented. What it hides in a folder that the server may not read, or holds
in a file that it has deleted, is not counted; there it is the free space that ends it.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 5 * 1024**3
"""What a copy may hold; one that holds more already may not grow."""
MAX_FILES = 500_000
"""Files and folders that a copy may hold."""
MIN_FREE = 1024**3
"""Bytes that stay free on the disk; where there is less to begin with, half of that."""
STEP = 64 * 1024**2
"""Bytes by which the free space has to shrink before the folder is gone through again."""
STEP_FILES = 10_000
LOOK_SECONDS = 0.5
RECOUNT_SECONDS = 30.0
"""Seconds after which the folder is gone through however the free space stands: others may have freed some."""
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Held:
    """What a folder holds."""

    size: int
    """Bytes on the disk; a file with several names counts once."""
    files: int


def held_by(root: Path) -> Held:
    """What a folder holds now; what cannot be read is not counted. Blocking."""
    size = files = 0
    seen: set[tuple[int, int]] = set()
    folders = [os.fspath(root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    files += 1
                    if found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if (found.st_dev, found.st_ino) in seen:
                            continue
                        seen.add((found.st_dev, found.st_ino))
                    size += found.st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:  # gone meanwhile, or not ours to read
            continue
    return Held(size, files)


async def until_full(root: Path) -> str:
    """Wait until a folder has grown beyond what it may hold, or its disk is nearly full; why."""
    free, inodes = _free(root)
    scarce = min(MIN_FREE, free // 2)  # where there is little to begin with, half of it is left
    held = await asyncio.to_thread(held_by, root)
    most = Held(max(MAX_BYTES, held.size), max(MAX_FILES, held.files))
    clock = asyncio.get_running_loop().time
    counted = clock()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, left = _free(root)
        if now < scarce:
            return f"the disk has only {now // 1024**2} MB left"
        if free - now < STEP and inodes - left < STEP_FILES and clock() - counted < RECOUNT_SECONDS:
            continue
        held = await asyncio.to_thread(held_by, root)
        free, inodes, counted = now, left, clock()
        if held.size > most.size:
            return f"the repository's copy holds {_megabytes(held.size)}, and may hold {_megabytes(most.size)}"
        if held.files > most.files:
            return f"the repository's copy holds {held.files:,} files, and may hold {most.files:,}"


def _free(root: Path) -> tuple[int, int]:
    """Bytes and files that the disk has room for."""
    found = os.statvfs(root)
    return found.f_bavail * found.f_frsize, found.f_favail


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"
