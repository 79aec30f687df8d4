"""`contexten repos`: the repositories that runs work on."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten._plain import one_line
from contexten.cli.output import emit, home_relative, note, say, table
from contexten.cli.words import Json, application

app = application("Register the repositories that runs work on.", "contexten repos add ~/src/shop")


@app.command("list", epilog="Example: contexten repos list")
def list_(*, json: Json = False) -> None:
    """List the repositories."""
    from contexten.cli.connect import connected

    with connected() as connection:
        repos = list(connection.client.iter_repositories())
    if json:
        emit(repos)
    elif not repos:
        note("There are no repositories yet. Register one: contexten repos add PATH")
    else:
        rows = [(repo.id, repo.name, repo.language or "", home_relative(str(repo.get("path", "")))) for repo in repos]
        table(("REPO", "NAME", "LANGUAGE", "PLACE"), rows)


@app.command(epilog="Example: contexten repos add ~/src/shop")
def add(
    place: Annotated[str, typer.Argument(help="Folder of this machine, or a git address to clone.", metavar="PLACE")],
    *,
    name: Annotated[str | None, typer.Option(help="Name to show; the folder's when absent.", metavar="NAME")] = None,
    json: Json = False,
) -> None:
    """Register a folder, or clone a git address. Registering a folder again changes nothing."""
    from contexten.cli.connect import connected
    from contexten.cli.place import location
    from contexten.cli.progress import Progress

    wanted = location(place)
    with connected() as connection, Progress(f"registering {wanted}"):
        repo = connection.client.add_repository(wanted, name=name)
    if json:
        emit(repo)
    else:
        say(f"repo {repo.id} · {one_line(repo.name)} · {home_relative(repo.path)}")


@app.command(epilog="Example: contexten repos remove 2")
def remove(
    repo: Annotated[int, typer.Argument(help="Number of the repository.", metavar="REPO", min=1)], *, json: Json = False
) -> None:
    """Forget a repository. Its folder stays as it is."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected

    with connected() as connection, known(connection, "repo", repo):
        connection.client.remove_repository(repo)
    if json:
        emit({"id": repo, "removed": True})
    else:
        say(f"repo {repo} removed")
