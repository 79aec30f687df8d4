"""`contexten dashboard`: a link that signs in at the dashboard, and the build of its pages."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten.cli.output import emit, note, say
from contexten.cli.words import Json, application

app = application()


@app.callback(invoke_without_command=True, epilog="Example: contexten dashboard --open")
def link(
    context: typer.Context,
    *,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    json: Json = False,
) -> None:
    """Print a link to the dashboard that signs one browser in, once. It can be used for an hour.

    Sessions are listed by `contexten token list`, and ended by `contexten token revoke`.
    """
    if context.invoked_subcommand is not None:
        return
    from contexten.cli.connect import connected

    with connected(start=False) as connection:
        made = connection.client.create_sign_in_link()
    if open_it and not _opened(made.url):
        note("no browser could be opened here. Open the link yourself:")
        open_it = False
    if json:
        emit(made)
    elif not open_it:
        say(made.url)


@app.command(epilog="Example: contexten dashboard build")
def build(*, json: Json = False) -> None:
    """Build the pages from their sources, as a clone of the repository needs it. Needs Node.js with npm."""
    from contexten.dashboard.hosting.build import build as build_pages
    from contexten.dashboard.hosting.bundle import Bundle
    from contexten.settings import ServerSettings

    built = build_pages(cache=ServerSettings().cache_dir, say=note)
    folder = Bundle().folder
    if json:
        emit({"folder": str(folder), "built": built})
    else:
        say(f"{folder} {'built' if built else 'is up to date'}")


def _opened(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)
