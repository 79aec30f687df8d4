"""Applying a patch to a person's own work tree: all of it or nothing.

Git does it without the repository's own settings, attributes and filters: every file is taken byte for byte as it is on disk,
nothing is staged, and the folder need not be a git repository.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contexten.engines import git
from contexten.engines.baseline import Baseline
from contexten.errors import EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED = 10


def apply_patch(patch: str, folder: Path, files: Sequence[str], *, check: bool = False) -> None:
    """Apply a patch to the files of a folder. Blocking.

    Args:
        patch: in git's format.
        folder: to which its paths are relative.
        files: the paths in it.
        check: only see whether it would apply.

    Raises:
        EngineError: it does not apply, and nothing was changed; the message names the files.
    """
    with TemporaryDirectory(prefix="contexten-") as place:
        deaf = Baseline.create(Path(place) / "git", folder)
        given = patch.encode()
        reason = _objection(deaf, given, "apply", "--check")
        if reason:
            if _is_applied(deaf, given):
                raise EngineError(f"{folder} has these changes already; nothing was changed.")
            raise EngineError(
                f"The patch does not apply to {folder}: {_conflicts(reason, files)}. Nothing was changed."
            )
        _check_rights(folder, files)
        if not check:
            deaf.git("apply", "--whitespace=nowarn", given=given)


def is_applied(patch: str, folder: Path) -> bool:
    """Whether a folder has the changes of a patch already, so that they could be taken back. Blocking."""
    with TemporaryDirectory(prefix="contexten-") as place:
        return _is_applied(Baseline.create(Path(place) / "git", folder), patch.encode())


def _is_applied(deaf: Baseline, patch: bytes) -> bool:
    return not _objection(deaf, patch, "apply", "--check", "--reverse")


def begin_branch(folder: Path, branch: str) -> None:
    """Make a branch where a repository is now, and switch to it with all that is not committed. Blocking.

    Raises:
        UsageError: the folder is no git repository.
        EngineError: there is such a branch.
    """
    if not (folder / ".git").exists():
        raise UsageError(f"{folder} is not a git repository, so it has no branches. Leave --branch out")
    git.read(folder, "switch", "--quiet", "--create", branch)


def _objection(deaf: Baseline, patch: bytes, *command: str) -> str:
    """Why git would not do it; empty when it would."""
    try:
        deaf.git(*command, "--whitespace=nowarn", given=patch)
    except EngineError as error:
        return str(error)
    return ""


def _conflicts(reason: str, files: Sequence[str]) -> str:
    """The files that git objects to, each with what is wrong with it; its own words when it names none."""
    found = {file: why for file in files if (why := _why(reason, file))}
    named = [f"{file} ({why})" for file, why in list(found.items())[:_NAMED]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(named) + more if named else reason


def _why(reason: str, file: str) -> str:
    for line in reason.splitlines():
        _, _, said = line.rpartition("error: ")
        if said.startswith(f"{file}: "):
            words = said.removeprefix(f"{file}: ")
            return "it is not as it was" if words == "patch does not apply" else words.strip().lower()
        if f"'{file}'" in said:
            return "it is not as it was"
    return ""


def _check_rights(folder: Path, files: Sequence[str]) -> None:
    """Git writes one file after the other: one that it may not write must be known before."""
    for file in files:
        place = folder / file
        nearest = next(parent for parent in place.parents if parent.is_dir())
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise EngineError(f"{nearest} may not be written by you, so {file} cannot be. Nothing was changed.")
