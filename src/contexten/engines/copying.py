"""Copying files of a repository into a run's own folder: plain files and links only, and not more than there is room for."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from contexten.engines.baseline import size_inside
from contexten.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES = 2 * 1024**3
"""Size of a copy, at most."""
MAX_FILES = 200_000
"""Files of a copy, at most."""


def copy_files(source: Path, paths: Iterable[bytes], into: Path) -> list[bytes]:
    """Copy files, with links as links and each file's times; gives back those that were there. Blocking.

    Sockets, pipes and devices are left out, and so is what lies behind a link to a folder.

    Raises:
        EngineError: they are too many or too large, or one cannot be read.
    """
    root, target = os.fsencode(source), os.fsencode(into)
    copied: list[bytes] = []
    total = 0
    for path in paths:
        size = size_inside(root, path)
        if size is None:
            continue
        total += size
        if total > MAX_BYTES or len(copied) >= MAX_FILES:
            raise _too_large(source)
        try:
            _copy(os.path.join(root, path), os.path.join(target, path))  # noqa: PTH118 - pathlib has no bytes
        except OSError as error:
            name = os.fsdecode(path)
            raise EngineError(f"{name} could not be copied for the run: {error.strerror}.") from error
        copied.append(path)
    return copied


def _copy(source: bytes, target: bytes) -> None:
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 - pathlib has no bytes
    found = os.lstat(source)
    if stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211 - see above
        return
    shutil.copyfile(source, target, follow_symlinks=False)
    os.chmod(target, 0o755 if found.st_mode & stat.S_IXUSR else 0o644)  # noqa: PTH101 - pathlib has no bytes
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))


def _too_large(source: Path) -> EngineError:
    return EngineError(
        f"{source} is too large to be copied for a run: more than {MAX_FILES} files or {MAX_BYTES // 1024**3} GB. "
        "List what a run does not need in .gitignore, or name a folder inside it: --repo PATH"
    )
