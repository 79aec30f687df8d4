"""The repository that a run works on: finding the one that a path names, registering it when it is new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contexten.cli.output import home_relative, note
from contexten.errors import PermissionDeniedError, UsageError

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
    """The repository that a run works on, registered if it was not yet; None for the server's own.

    Args:
        connection: to the server.
        text: a path or an address. Without one it is the project in which one stands, when the server is on this machine:
            a folder that it knows, or a git project; and for a server inside this process any folder.
    """
    if text is not None:
        wanted = location(text)
    elif (found := _project_here(connection)) is None:
        return None
    else:
        wanted = found
    for repo in connection.client.iter_repositories():
        if wanted in {repo.get("path"), repo.get("url")}:
            return repo
    return _added(connection, wanted, must=text is not None)


def _added(connection: Connection, wanted: str, *, must: bool) -> Repository | None:
    try:
        return connection.client.add_repository(wanted)
    except PermissionDeniedError:
        if must:
            raise
        return None


def _project_here(connection: Connection) -> str | None:
    """The known folder or the git project around the current folder, whichever is the inner one."""
    if not connection.local:
        return None
    here = Path.cwd()
    around = [here, *here.parents]
    known = {repo.get("path") for repo in connection.client.iter_repositories()}
    for folder in around:
        if str(folder) in known or (folder != Path.home() and (folder / ".git").exists()):
            return str(folder)
    return str(here) if connection.embedded else None


def place_of(connection: Connection, run: AgentRun) -> str | None:
    """Where a run works, as a path or address; None when its repository is gone."""
    repo_id = run.get("repo_id")
    if repo_id is None:
        return None
    return next((repo.get("path") for repo in connection.client.iter_repositories() if repo.id == repo_id), None)


def note_other_place(connection: Connection, named: Repository | None, place: str | None) -> None:
    """Say which repository a run works on when it is not the one in which one stands."""
    if named is None and connection.local and place is not None:
        note(
            f"The current folder is no project that the server knows, so this is about {home_relative(place)}. "
            "Another: --repo PATH"
        )
