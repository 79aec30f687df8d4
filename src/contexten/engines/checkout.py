"""A run's own copy of its repository: what a run writes to, so that nobody's work tree or branch is touched.

The copy has what is on disk: the files that git tracks as they are now, uncommitted changes included, and new ones that are not
ignored. Left out are ignored files, untracked hidden ones (`.env`), submodules and repositories inside of the repository. A folder
that is no git repository is copied by the same rules; its hidden files and folders such as `node_modules` are left out.
A run that builds on others (a task of a workflow) begins with what those changed, which does not count as its own.

On disk, below the server's data folder: `checkouts/ORGANIZATION/RUN/` with `work/`, the copy, and beside it what no run can reach:
`base.git/`, what the copy was when the run began, and `state.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines import git
from contexten.engines.applying import apply_patch, is_applied
from contexten.engines.baseline import Baseline
from contexten.engines.changes import changes_since
from contexten.engines.copying import copy_files
from contexten.engines.listing import files_of, ignore_patterns
from contexten.errors import EngineError

if TYPE_CHECKING:
    from contexten.engines.base import Earlier, Task
    from contexten.engines.changes import Changes

HISTORY = 50
"""Commits that the copy of a git repository has."""
HISTORY_SECONDS = 60.0
_WORK = "work"
_BASE = "base.git"
_STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A run's own copy; later turns of the same run find it again."""

    root: Path
    """The work tree."""
    branch: str
    """The branch that it is on, `contexten/run-ID`; empty when the repository is not git."""
    tree: str
    """What it was when the run began."""

    def changes(self) -> Changes:
        """What is different from when the run began, new files included, ignored ones not. Blocking.

        Raises:
            EngineError: git failed, or took too long.
        """
        return changes_since(Baseline(self.root.parent / _BASE, self.root), self.tree)


async def open_checkout(task: Task, home: Path) -> Checkout:
    """The copy of a task's run: the one that it has, as an earlier turn or attempt left it, or a new one.

    Args:
        task: whose run it is; its workspace is what is copied.
        home: the server's data folder / `checkouts`.

    Raises:
        EngineError: git is not installed, or the repository is too large or cannot be read.
    """
    found = await asyncio.to_thread(find_checkout, home, task.organization_id, task.run_id)
    if found is not None:
        return found
    folder = _folder(home, task.organization_id, task.run_id)
    partial = folder.with_name(f".partial-{task.run_id}")
    try:
        await git.unstoppable(asyncio.to_thread(_copy, task, partial))
        branch = await _begin_branch(task, partial / _WORK)
        await git.unstoppable(asyncio.to_thread(_settle, partial, folder, branch))
    except BaseException as error:
        await git.unstoppable(asyncio.to_thread(_remove, partial))
        if isinstance(error, OSError):
            raise EngineError(f"The repository could not be copied for the run: {error}.") from error
        raise
    checkout = await asyncio.to_thread(find_checkout, home, task.organization_id, task.run_id)
    if checkout is None:
        raise EngineError(f"The copy of the repository in {folder} is not there any more.")
    return checkout


def find_checkout(home: Path, organization_id: int, run_id: int) -> Checkout | None:
    """The copy that a run has; None when it has none. Blocking."""
    folder = _folder(home, organization_id, run_id)
    try:
        state = json.loads((folder / _STATE).read_text("utf-8"))
        return Checkout((folder / _WORK).resolve(), state["branch"], state["tree"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):  # or cut short by a power cut
        return None


def is_checkout(folder: Path) -> bool:
    """Whether a folder is the copy of a run, whose `.git` is the run's to write, so that git is not to be run on it."""
    return (folder.parent / _BASE).is_dir() and (folder.parent / _STATE).is_file()


def discard_checkout(home: Path, organization_id: int, run_id: int) -> None:
    """Delete the copy of a run, whatever the run made of it. Without one, does nothing. Blocking."""
    folder = _folder(home, organization_id, run_id)
    doomed = folder.with_name(f".deleted-{run_id}")
    with suppress(FileNotFoundError):
        folder.rename(doomed)
    for each in (*folder.parent.glob(".deleted-*"), folder.with_name(f".partial-{run_id}")):
        _remove(each)


def _folder(home: Path, organization_id: int, run_id: int) -> Path:
    return home / str(organization_id) / str(run_id)


def _copy(task: Task, partial: Path) -> None:
    source = task.workspace
    _remove(partial)
    work = partial / _WORK
    for folder in (partial.parent.parent, partial.parent, partial, work):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignored = ignore_patterns(source)
    baseline = Baseline.create(partial / _BASE, work, ignored=ignored)
    copied = copy_files(source, files_of(source, Baseline(partial / _BASE, source)), work)
    baseline.record(copied)
    for earlier in task.builds_on:
        _take_over(earlier, work)
        baseline.record_all()


def _take_over(earlier: Earlier, work: Path) -> None:
    """Bring an earlier run's own changes about in a new copy, unless they are there already."""
    changes, number = earlier.changes, earlier.run_id
    if changes.truncated:
        raise EngineError(f"What run {number} changed, which this run builds on, is too large to be taken over.")
    if changes and not is_applied(changes.patch, work):
        try:
            apply_patch(changes.patch, work, changes.paths)
        except EngineError as error:
            raise EngineError(f"This run builds on run {number}, whose changes do not fit any more. {error}") from error


async def _begin_branch(task: Task, work: Path) -> str:
    """Give the copy a git database of its own, with the newest commits, when the repository has one."""
    if not await asyncio.to_thread((task.workspace / ".git").exists):
        return ""
    branch = f"contexten/run-{task.run_id}"
    database = work / ".git"
    await asyncio.to_thread(_begin_database, database, branch)
    with suppress(EngineError):  # no commit yet, or a history that cannot be copied: the run goes on without it
        await git.transfer(
            *(f"--git-dir={database}", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules"),
            *("--no-write-fetch-head", "--update-head-ok", f"--depth={HISTORY}"),
            *("--", f"file://{task.workspace.resolve()}", f"HEAD:refs/heads/{branch}"),
            protocols="file",
            seconds=HISTORY_SECONDS,
        )
        await asyncio.to_thread(git.own, database, "read-tree", "HEAD", work_tree=work)
    return branch


def _begin_database(database: Path, branch: str) -> None:
    git.own(database, "init", "--quiet", f"--initial-branch={branch}")
    for name, value in (("core.bare", "false"), ("user.name", "Contexten"), ("user.email", "run@contexten.invalid")):
        git.own(database, "config", name, value)


def _settle(partial: Path, folder: Path, branch: str) -> None:
    tree = Baseline(partial / _BASE, partial / _WORK).tree()
    state = partial / _STATE
    state.write_text(json.dumps({"branch": branch, "tree": tree}), "utf-8")
    _remove(folder)
    partial.rename(folder)


def _remove(folder: Path) -> None:
    """Delete a folder with all that is in it, also what its owner may not read."""
    for place, below, _ in os.walk(folder):
        for each in (Path(place, name) for name in below):
            if not each.is_symlink():
                each.chmod(0o700)  # before it is walked
    shutil.rmtree(folder, ignore_errors=True)
