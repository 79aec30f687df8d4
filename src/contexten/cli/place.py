"""The repository that a run works on: finding the one that a path names, registering it when it is new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import UsageError

if TYPE_CHECKING:
    from contexten.cli.connect import Connection
    from contexten.protocol import AgentRun, Repository


def location(text: str) -> str:
    """A folder's full path, or the git address that `text` is.

    Raises:
        UsageError: it is neither.
    """
    if not text.strip():
        raise UsageError("the place is empty. Give the folder of a project, or a git address")
    if "://" in text or (":" in text and "@" in text.partition(":")[0]):
        return text
    path = Path(text).expanduser()
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise UsageError(f"{text!r} {what}. Give the folder of a project, or a git address")
    return str(path.resolve())


def place_named(connection: Connection, text: str | None) -> Repository | None:
    """The repository at a path or address, registered if it was not yet; None when no name is given.

    A server inside this process works on the current folder when no name is given.
    """
    if text is None and not connection.embedded:
        return None
    wanted = location(text or ".")
    for repo in connection.client.iter_repositories():
        if wanted in {repo.get("path"), repo.get("url")}:
            return repo
    return connection.client.add_repository(wanted)


def place_of(connection: Connection, run: AgentRun) -> str | None:
    """Where a run works, as a path or address; None when its repository is gone."""
    repo_id = run.get("repo_id")
    if repo_id is None:
        return None
    return next((repo.get("path") for repo in connection.client.iter_repositories() if repo.id == repo_id), None)
