"""`contexten org`: organizations, which runs, repositories and tokens belong to."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten.cli.output import emit, note, say, table
from contexten.cli.words import Json, application

app = application("List and create organizations.", "contexten org list")


@app.command("list", epilog="Example: contexten org list --json")
def list_(*, json: Json = False) -> None:
    """List the organizations that this token may use."""
    from contexten.cli.connect import connected

    with connected() as connection:
        found = list(connection.client.iter_organizations())
    if json:
        emit(found)
    else:
        table(("ORG", "NAME"), [(organization.id, organization.name) for organization in found])


@app.command(epilog="Example: contexten org create research")
def create(
    name: Annotated[str, typer.Argument(help="Name of the organization.", metavar="NAME")], *, json: Json = False
) -> None:
    """Create an organization and its first token, which is shown once."""
    from contexten.cli.connect import connected

    with connected() as connection:
        made = connection.client.create_organization(name)
    if json:
        emit(made)
        return
    note(f"org {made.id} · {made.name} · its token, which is not shown again:")
    say(made.token)
