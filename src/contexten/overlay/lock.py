"""One process at a time changes a package; the lock is let go when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import OverlayBusyError
from contexten.overlay.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.overlay.target import Target


@contextmanager
def locked(target: Target) -> Iterator[None]:
    """Hold the package for the length of the body.

    Where folders can be locked the `site-packages` folder itself is, so that no lock file is left in it.

    Raises:
        OverlayBusyError: another process holds it.
    """
    descriptor = _open(target.site_packages)
    try:
        _take(descriptor, target)
        yield
    finally:
        os.close(descriptor)


def _open(folder: Path) -> int:
    if sys.platform == "win32":
        name = f"contexten-overlay-{sha256(str(folder.resolve()).encode())[:16]}.lock"
        return os.open(Path(tempfile.gettempdir()) / name, os.O_RDWR | os.O_CREAT)
    else:  # noqa: RET505 - type checkers follow the branch of the platform
        return os.open(folder, os.O_RDONLY)


def _take(descriptor: int, target: Target) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OverlayBusyError(
            f"another process is changing {target.package} at this moment. Try again when it has finished."
        ) from error
