"""`contexten dashboard`: a link that signs in at the dashboard, and the build of its pages."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten.cli.output import emit, emit_line, note, say, styled
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


@app.command(epilog="Example: contexten dashboard serve --port 3001")
def serve(
    *,
    port: Annotated[int, typer.Option(help="Port to bind; 0 takes a free one.", min=0, max=65535)] = 3000,
    json: Json = False,
) -> None:
    """Serve the dashboard in a process of its own, for the server of CODEGEN_BASE_URL and CODEGEN_API_TOKEN.

    They may stand in the file .env of this folder, which the settings page writes. With --json one line of JSON says when
    it is ready.
    """
    from contexten.cli.logs import show_logs
    from contexten.dashboard.hosting.standalone import serve as serve_pages
    from contexten.settings import DEFAULT_HOST, ServerSettings

    settings = ServerSettings().model_copy(update={"host": DEFAULT_HOST, "port": port})
    show_logs(settings)
    serve_pages(settings, _told_as_json if json else _told)


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


def _told(url: str) -> None:
    say(f"  {styled('Contexten dashboard', 'bold')}   (Ctrl-C stops it)")
    say(f"  {styled('open      ', 'dim')}{url}  one-time sign-in")


def _told_as_json(url: str) -> None:
    emit_line({"url": url})


def _opened(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)
