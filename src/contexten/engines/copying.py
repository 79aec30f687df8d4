"""Copying files of a repository into a run's own folder: plain files and links only, and not more than there is room for."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

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
    folders = _Folders(os.fsencode(source), os.fsencode(into))
    copied: list[bytes] = []
    room = MAX_BYTES
    for path in paths:
        try:
            found = folders.look(path)
            if found is None:
                continue
            room -= found.st_size
            if room < 0 or len(copied) >= MAX_FILES:
                raise _too_large(source)
            folders.copy(path, found)
        except OSError as error:
            raise EngineError(f"{os.fsdecode(path)} could not be copied for the run: {error.strerror}.") from error
        copied.append(path)
    return copied


class _Folders:
    """Two folders and which of the folders in them are known to be there, so that each is looked at once."""

    def __init__(self, source: bytes, target: bytes) -> None:
        self._source, self._target = source + b"/", target + b"/"
        self._plain: dict[bytes, bool] = {b"": True}

    def look(self, path: bytes) -> os.stat_result | None:
        """A file of the one; None when it is gone, no plain file or link, or behind a link."""
        if not self._is_plain(path.rpartition(b"/")[0]):
            return None
        try:
            found = os.lstat(self._source + path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode) else None

    def copy(self, path: bytes, found: os.stat_result) -> None:
        """Make a file of the other like that of the one."""
        source, target = self._source + path, self._target + path
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211 - pathlib has no bytes
            return
        shutil.copyfile(source, target, follow_symlinks=False)
        os.chmod(target, 0o755 if found.st_mode & stat.S_IXUSR else 0o644)  # noqa: PTH101 - see above
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))

    def _is_plain(self, folder: bytes) -> bool:
        """Whether a folder of the one is there and behind no link; the other has it too then."""
        if folder not in self._plain:
            try:
                is_folder = self._is_plain(folder.rpartition(b"/")[0]) and stat.S_ISDIR(
                    os.lstat(self._source + folder).st_mode
                )
            except (FileNotFoundError, NotADirectoryError):
                is_folder = False
            if is_folder:
                os.mkdir(self._target + folder, 0o700)  # noqa: PTH102 - pathlib has no bytes
            self._plain[folder] = is_folder
        return self._plain[folder]


def _too_large(source: Path) -> EngineError:
    return EngineError(
        f"{source} is too large to be copied for a run: more than {MAX_FILES} files or {MAX_BYTES // 1024**3} GB. "
        "List what a run does not need in .gitignore, or name a folder inside it: --repo PATH"
    )
