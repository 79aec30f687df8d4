"""The one gate for what is read of a repository: what lies in its folder, is not hidden, and is not the server's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.codebase.hidden import is_hidden
from contexten.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

CLONES = "repos"
"""Folder in a data folder that holds cloned repositories, each of which is open to the runs that work on it."""
CHECKOUTS = "checkouts"
"""Folder in a data folder that holds the runs' own copies, each of which is open to its run."""

_closed: set[Path] = set()


def close(data_folder: Path) -> None:
    """Keep a server's data folder, which holds its tokens and all its runs, from being read by runs of this process."""
    _closed.add(data_folder.resolve())


def is_closed(path: Path) -> bool:
    """Whether a folder is, or lies in, a data folder; a cloned repository does too."""
    real = _resolved(path)
    return any(real.is_relative_to(folder) for folder in _closed)


def closed_in(workspace: Path) -> list[str]:
    """The closed folders in a workspace, as relative paths with forward slashes.

    Raises:
        EngineError: all of it is closed.
    """
    root = _resolved(workspace)
    return [folder.relative_to(root).as_posix() for folder in _closed_below(root)]


def inside(workspace: Path, relative: str | Path) -> Path:
    """The real path of `relative` in the workspace.

    Raises:
        EngineError: it leads out of the workspace, or to a hidden or closed place in it, by `..`, an absolute path or a
            symbolic link; or it cannot be a path.
    """
    root = _resolved(workspace)
    path = _resolved(root / relative)
    if not path.is_relative_to(root):
        raise EngineError(f"{str(relative)!r} leads out of the repository, so it is not read.")
    if path != root and is_hidden(path.relative_to(root).as_posix()):
        raise EngineError(f"{str(relative)!r} is a hidden file, so it is not read.")
    if any(path.is_relative_to(folder) for folder in _closed_below(root)):
        raise EngineError(f"{str(relative)!r} belongs to the server itself, so it is not read.")
    return path


def read_bytes(workspace: Path, relative: str | Path, *, limit: int) -> bytes | None:
    """The beginning of a file of the workspace, at most `limit` bytes of it.

    None when there is no such file in it; one that a symbolic link brings in from outside is not in it.
    """
    try:
        path = inside(workspace, relative)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(limit)
    except (OSError, EngineError):
        return None


def read_text(workspace: Path, relative: str | Path, *, limit: int = 256 * 1024) -> str | None:
    """The same as text; what is not UTF-8 in it is replaced."""
    data = read_bytes(workspace, relative, limit=limit)
    return None if data is None else data.decode(errors="replace")


def _closed_below(root: Path) -> list[Path]:
    if any(root.is_relative_to(folder) and not _is_lent(root, folder) for folder in _closed):
        raise EngineError(f"The folder {root} belongs to the server itself, so no run reads it.")
    return [folder for folder in sorted(_closed) if folder.is_relative_to(root)]


def _is_lent(root: Path, data_folder: Path) -> bool:
    return any(data_folder / lent in root.parents for lent in (CLONES, CHECKOUTS))


def _resolved(path: Path) -> Path:
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself; a NUL in the name
        raise EngineError(f"{str(path)!r} is not a path that can be read: {error}.") from error
    if resolved.is_symlink():  # from Python 3.13 on a link to itself is no error by itself
        raise EngineError(f"{str(path)!r} is not a path that can be read: it is a link to itself.")
    return resolved
