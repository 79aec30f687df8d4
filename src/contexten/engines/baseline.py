"""What a work tree was when a run began: a git database of the server's own, outside of the work tree.

Git is never run on the database in the work tree, which whatever runs there can change. Neither the configuration of the
user nor the attributes of the work tree are heard, so no filter runs and each file counts byte for byte as it is.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from contexten.engines import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SECONDS = 120.0
"""For one git command."""

_PLAIN = "* -text !eol !crlf !ident !filter !working-tree-encoding !diff !merge\n"
"""Attributes that say: as it is. Those in this file are stronger than those in the work tree."""
_SPECIAL = str.maketrans({each: f"\\{each}" for each in "\\*?["})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class Baseline:
    """The database at `git_dir`, about the folder `work_tree`. Every method blocks.

    Args:
        git_dir: the database's folder.
        work_tree: the folder.
    """

    def __init__(self, git_dir: Path, work_tree: Path) -> None:
        self._git_dir = git_dir
        self._work_tree = work_tree

    @classmethod
    def create(cls, git_dir: Path, work_tree: Path, *, ignored: str = "") -> Baseline:
        """An empty database.

        Args:
            git_dir: where; must not be there yet.
            work_tree: the folder that it is about.
            ignored: patterns of files that never count, as in `.gitignore`.
        """
        git.own(git_dir, "init", "--quiet", "--bare", seconds=SECONDS)
        git.own(git_dir, "config", "core.looseCompression", "0")
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "exclude").write_text(ignored, "utf-8", "surrogateescape")
        (git_dir / "info" / "attributes").write_text(_PLAIN, "utf-8")
        return cls(git_dir, work_tree)

    def git(self, *arguments: str, given: bytes = b"") -> bytes:
        """What a git command prints about the work tree."""
        return git.own(self._git_dir, *arguments, work_tree=self._work_tree, given=given, seconds=SECONDS)

    def others(self) -> list[bytes]:
        """The files that are not recorded and not ignored. Repositories inside of the folder are left out."""
        return _paths(self.git("ls-files", "-z", "--others", "--exclude-standard"))

    def touched(self) -> list[bytes]:
        """The files that are not as they are recorded, those that are gone, and those that are new."""
        changed = _paths(self.git("ls-files", "-z", "--modified"))
        return list(dict.fromkeys([*changed, *self.others()]))

    def known(self, paths: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
        """Each path with `modified` when it is recorded, else `added`."""
        wanted = set(paths)
        recorded = set(_paths(self.git("ls-files", "-z"))) if wanted else set()
        return ((path, "modified" if path in recorded else "added") for path in sorted(wanted))

    def size_of(self, path: bytes) -> int | None:
        """A file's size in bytes; None when it is gone, no plain file or link, or behind a link."""
        return _size_inside(os.fsencode(self._work_tree), path)

    def record(self, present: Sequence[bytes], gone: Sequence[bytes] = ()) -> None:
        """Take files into the record as they are now, and others out of it."""
        if gone:
            self.git("update-index", "--force-remove", "-z", "--stdin", given=_lines(gone))
        if present:
            self.git("update-index", "--add", "--remove", "--replace", "-z", "--stdin", given=_lines(present))

    def record_all(self) -> None:
        """Take everything into the record as it is now."""
        touched = self.touched()
        sizes = {path: self.size_of(path) for path in touched}
        self.record(
            [path for path in touched if sizes[path] is not None], [path for path in touched if sizes[path] is None]
        )

    def tree(self) -> str:
        """The identity of what is recorded now."""
        return self.git("write-tree").decode().strip()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from using the record meanwhile. What a process left locked that died in the middle is free again."""
        from filelock import FileLock

        with FileLock(self._git_dir / "contexten.lock"):
            (self._git_dir / "index.lock").unlink(missing_ok=True)
            yield

    @contextmanager
    def as_binary(self, paths: Iterable[str]) -> Iterator[None]:
        """Have git take files as binary whatever is in them."""
        attributes = self._git_dir / "info" / "attributes"
        lines = [f'"/{_quoted(path)}" -diff\n' for path in paths]
        attributes.write_text(_PLAIN + "".join(lines), "utf-8", "surrogateescape")
        try:
            yield
        finally:
            attributes.write_text(_PLAIN, "utf-8")


def _size_inside(root: bytes, path: bytes) -> int | None:
    """The size of a plain file or symbolic link below a folder; None for what is neither, or lies behind a link."""
    folder = root
    try:
        for name in path.split(b"/")[:-1]:
            folder = os.path.join(folder, name)  # noqa: PTH118 - pathlib has no bytes
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                return None
        found = os.lstat(os.path.join(root, path))  # noqa: PTH118 - see above
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode) else None


def _paths(listed: bytes) -> list[bytes]:
    return [path for path in listed.split(b"\0") if path and not path.endswith(b"/")]


def _lines(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)


def _quoted(path: str) -> str:
    """A path as a pattern in a file of attributes, between double quotes."""
    pattern = path.translate(_SPECIAL)
    return "".join(_ESCAPES.get(each, each) for each in pattern)
