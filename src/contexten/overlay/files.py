"""Changing files of somebody else's package: whole files only, and never through a shared inode.

An installer may share one copy of a file between many environments by hard links; writing into it would change them all.
So new text goes to a temporary file in the same folder, and `os.replace` puts it in place in one step.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from typing import TYPE_CHECKING

from contexten.errors import OverlayError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".contexten-new"
_DEFAULT_MODE = 0o644


def sha256(data: bytes) -> str:
    """The hash by which files are compared."""
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> bytes | None:
    """The content of a file, or None when there is no such file.

    Raises:
        OverlayError: it cannot be read, or is a folder.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OverlayError(f"{path} cannot be read: {error.strerror or error}.") from error


def put(path: Path, data: bytes, like: Path | None = None) -> None:
    """Give a file this content in one step that cannot be seen half done; it takes mode and owner from `like`.

    Nothing is written when it has that content already.
    """
    if read(path) == data:
        return
    temporary = path.with_name(path.name + SUFFIX)
    remove(temporary)
    with temporary.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _dress(temporary, like if like is not None else path)
    temporary.replace(path)
    _sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, with mode and owner of the one that it is in, if it is not there."""
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        _dress(folder, folder.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def remove_compiled(source: Path) -> None:
    """Remove what Python compiled from a file."""
    for compiled in source.parent.glob(f"__pycache__/{source.stem}.*.pyc*"):
        remove(compiled)


def remove_folder(folder: Path) -> None:
    """Remove a folder, if it is there and empty once its `__pycache__` is gone."""
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    try:
        folder.rmdir()
    except FileNotFoundError:
        return
    except OSError:
        if not any(folder.iterdir()):
            raise


def _dress(path: Path, like: Path) -> None:
    try:
        model = like.stat()
    except FileNotFoundError:
        path.chmod(_DEFAULT_MODE)
        return
    path.chmod(stat.S_IMODE(model.st_mode))
    if hasattr(os, "chown") and (model.st_uid, model.st_gid) != (path.stat().st_uid, path.stat().st_gid):
        os.chown(path, model.st_uid, model.st_gid)


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
