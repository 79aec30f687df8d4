"""Taking a run's changes over into one's own work tree: where to, all of them or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from contexten._plain import one_line
from contexten.cli.changes import totals
from contexten.cli.output import emit, home_relative, say
from contexten.cli.place import place_of
from contexten.errors import ContextenError, UsageError

if TYPE_CHECKING:
    from contexten.cli.connect import Connection
    from contexten.protocol import AgentRunDiff


def work_tree(connection: Connection, run_id: int, named: str | None) -> Path:
    """Where a run's changes go: the folder that is named, else the one that the run is about, else the current project.

    Raises:
        UsageError: there is no such folder.
    """
    if named is not None:
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise UsageError(f"{named!r} is not a folder. Give the folder that the changes go to")
        return folder
    about = place_of(connection, connection.client.get_agent_run(run_id)) if connection.local else None
    if about is not None and Path(about).is_dir() and not _is_clone(connection, about):
        return Path(about)
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def take_over(diff: AgentRunDiff, folder: Path, *, check: bool, branch: bool, json: bool) -> None:
    """Apply a run's changes to a folder, on a branch of their own when asked.

    Raises:
        EngineError: they do not apply; nothing was changed.
        ContextenError: there are none, or not all of them are in the patch.
        UsageError: a branch was asked for where there is no git.
    """
    from contexten.engines.applying import apply_patch, begin_branch

    _check(diff)
    name = f"contexten/run-{diff.agent_run_id}"
    files = [path for file in diff.files for path in (file.previous, file.path) if path]
    apply_patch(diff.patch, folder, files, check=True)
    if not check:
        if branch:
            begin_branch(folder, name)
        apply_patch(diff.patch, folder, files)
    _tell(diff, folder, check=check, branch=name if branch else None, json=json)


def _check(diff: AgentRunDiff) -> None:
    number = diff.agent_run_id
    if not diff.files:
        raise ContextenError(f"run {number} changed nothing. See: contexten runs show {number}")
    if diff.truncated:
        omitted = one_line(", ".join(file.path for file in diff.files if file.omitted), 200)
        raise ContextenError(
            f"not all that run {number} changed is in its patch, which leaves out what is too large: {omitted}. "
            f"Nothing was changed. Apply the rest: contexten runs diff {number} | git apply"
        )


def _tell(diff: AgentRunDiff, folder: Path, *, check: bool, branch: str | None, json: bool) -> None:
    if json:
        told: dict[str, Any] = {"run": diff.agent_run_id, "folder": str(folder), "applied": not check, "branch": branch}
        emit({**told, "files": [file.path for file in diff.files]})
        return
    on = f", branch {branch}" if branch else ""
    deed = "would apply" if check else "applied"
    say(f"{totals(diff)} {deed} to {home_relative(str(folder))}{on}")


def _is_clone(connection: Connection, path: str) -> bool:
    """Whether a repository's folder is the server's own clone, in which nobody works."""
    return any(repo.get("url") for repo in connection.client.iter_repositories() if repo.get("path") == path)
