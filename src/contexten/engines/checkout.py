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
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines import git
from contexten.engines.baseline import Baseline
from contexten.engines.bringing import bring_own, take_over
from contexten.engines.changes import changes_since
from contexten.engines.checkout_state import begin, is_noted, is_stale, read_state, write_state
from contexten.engines.copying import copy_files
from contexten.engines.listing import files_of, ignore_patterns
from contexten.errors import EngineError
from contexten.protocol import MessageType, NewLogEntry

if TYPE_CHECKING:
    from contexten.engines.base import Journal, Task
    from contexten.engines.changes import Changes

HISTORY = 50
"""Commits that the copy of a git repository has."""
HISTORY_SECONDS = 60.0
_WORK = "work"
_BASE = "base.git"
_BROUGHT = "What earlier turns changed is in it."
_NOTHING = "Earlier turns had changed nothing."
_NOT_KNOWN = "What earlier turns changed is not known and not in it."
_INTERRUPTED = "What this turn had changed before it was interrupted is not in it."


@dataclass(frozen=True, slots=True)
class Checkout:
    """A run's own copy; later turns of the same run find it again."""

    root: Path
    """The work tree."""
    branch: str
    """The branch that it is on, `contexten/run-ID`; empty when the repository is not git."""
    tree: str
    """What it was when the run began."""
    turn: int | None = field(default=None, compare=False)
    """The turn that it was last opened for; None when that is not known."""
    note: str = field(default="", compare=False)
    """What is to be known of one that was made anew for a run that had begun elsewhere; else empty."""
    lost: bool = field(default=False, compare=False)
    """Whether what an earlier attempt at the turn changed may not be in it."""

    def changes(self) -> Changes:
        """What is different from when the run began, new files included, ignored ones not. Blocking.

        Raises:
            EngineError: git failed, or took too long.
        """
        return changes_since(Baseline(self.root.parent / _BASE, self.root), self.tree)


async def open_checkout(task: Task, home: Path, journal: Journal | None = None) -> Checkout:
    """The copy of a task's run: the one that it has, as an earlier turn or attempt left it, or a new one.

    One that is not what the run was when its last turn ended, because that one was done elsewhere, is replaced. A new copy for a
    later turn has what the run has changed so far.

    Args:
        task: whose run it is; its workspace is what is copied.
        home: the server's data folder / `checkouts`.
        journal: told when a copy had to be made anew.

    Raises:
        EngineError: git is not installed, the repository is too large or cannot be read, or what the run has changed does
            not fit a new copy.
    """
    checkout = await _found_or_made(task, home)
    if checkout.note and journal is not None:
        entry = NewLogEntry(message_type=MessageType.ACTION, tool_name="copy", observation=checkout.note)
        await journal.add(entry, key=f"copy-{task.attempt}")
    return checkout


async def _found_or_made(task: Task, home: Path) -> Checkout:
    whose = (home, task.organization_id, task.run_id)
    found = await asyncio.to_thread(find_checkout, *whose)
    folder = _folder(*whose)
    if found is not None and not await asyncio.to_thread(is_stale, folder, task):
        lost = await asyncio.to_thread(begin, folder, task)
        return replace(found, turn=task.turn, lost=lost)
    await _make(task, folder)
    await asyncio.to_thread(begin, folder, task)
    checkout = await asyncio.to_thread(find_checkout, *whose)
    if checkout is None:
        raise EngineError(f"The copy of the repository in {folder} is not there any more.")
    return replace(checkout, note=_anew(task), lost=task.attempt > 1)


async def _make(task: Task, folder: Path) -> None:
    partial = folder.with_name(f".partial-{task.run_id}")
    try:
        await git.unstoppable(asyncio.to_thread(_copy, task, partial))
        branch = await _begin_branch(task, partial / _WORK)
        await git.unstoppable(asyncio.to_thread(_settle, task, partial, folder, branch))
    except BaseException as error:
        await git.unstoppable(asyncio.to_thread(_remove, partial))
        if isinstance(error, OSError):
            raise EngineError(f"The repository could not be copied for the run: {error}.") from error
        raise


def find_checkout(home: Path, organization_id: int, run_id: int) -> Checkout | None:
    """The copy that a run has; None when it has none. Blocking."""
    folder = _folder(home, organization_id, run_id)
    try:
        state = read_state(folder)
        turn = state.get("begun", (None,))[0]
        return Checkout((folder / _WORK).resolve(), state["branch"], state["tree"], turn)
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):  # or cut short by a power cut
        return None


def note_kept(home: Path, organization_id: int, run_id: int, turn: int) -> None:
    """Note that what a run is kept to have changed at the end of a turn is what its copy here shows. Blocking."""
    folder = _folder(home, organization_id, run_id)
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):
        write_state(folder, {**read_state(folder), "kept": turn})


def _anew(task: Task) -> str:
    """What is to be known of a new copy; nothing when it is the run's first."""
    if task.turn == 1 and task.attempt == 1:
        return ""
    said = "This worker had no copy of the run, so one was made anew from the repository as it is here now."
    if task.turn > 1:
        said += f" {_BROUGHT if task.kept and task.kept.changes else _NOTHING if task.kept else _NOT_KNOWN}"
    return f"{said} {_INTERRUPTED}" if task.attempt > 1 else said


def is_checkout(folder: Path) -> bool:
    """Whether a folder is the copy of a run, whose `.git` is the run's to write, so that git is not to be run on it."""
    return (folder.parent / _BASE).is_dir() and is_noted(folder.parent)


def checkouts(home: Path) -> list[tuple[int, int]]:
    """The runs that have a copy, each as its organization and its id. Blocking."""
    found = ((each.parent.name, each.name) for each in home.glob("*/*"))
    return [(int(organization), int(run)) for organization, run in found if f"{organization}{run}".isdecimal()]


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
        take_over(earlier, work)
        baseline.record_all()
    if task.kept is not None:
        bring_own(task.kept.changes, task.run_id, work)  # not recorded: it is the run's own part


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


def _settle(task: Task, partial: Path, folder: Path, branch: str) -> None:
    tree = Baseline(partial / _BASE, partial / _WORK).tree()
    kept = task.kept.turn if task.kept else None
    write_state(partial, {"branch": branch, "tree": tree, "kept": kept})
    _remove(folder)
    partial.rename(folder)


def _remove(folder: Path) -> None:
    """Delete a folder with all that is in it, also what its owner may not read."""
    for place, below, _ in os.walk(folder):
        for each in (Path(place, name) for name in below):
            if not each.is_symlink():
                each.chmod(0o700)  # before it is walked
    shutil.rmtree(folder, ignore_errors=True)
