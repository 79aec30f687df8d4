"""`contexten up`: the server for this machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contexten.cli.words import Json, application

if TYPE_CHECKING:
    from contexten.settings import ServerSettings

app = application()


@app.command(epilog="Example: contexten up --port 8001 --repo ~/src/shop")
def up(  # noqa: PLR0913 (an option is an argument)
    *,
    host: Annotated[str | None, typer.Option(help="Address to bind [127.0.0.1].", metavar="HOST")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind; 0 takes a free one [8000].", min=0, max=65535)] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder for the database and the local token.")] = None,
    repo: Annotated[
        Path | None,
        typer.Option(help="Project that runs work on; the current folder when absent.", exists=True, file_okay=False),
    ] = None,
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="Let other machines connect.")] = False,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics alone on this port too, without a token.", min=0, max=65535)
    ] = None,
    json: Json = False,
) -> None:
    """Start the server. Ctrl-C stops it; runs in flight continue at the next start.

    With --json one line of JSON says when it is ready.
    """
    settings = _settings(
        host=host,
        port=port,
        data_dir=data_dir,
        repo=repo,
        allow_remote=allow_remote or None,
        metrics_port=metrics_port,
    )
    from contexten.cli.banner import Banner, announce_json
    from contexten.cli.logs import show_logs
    from contexten.dashboard.hosting.front import dashboard
    from contexten.server.serve import serve

    show_logs(settings)
    banner = Banner(settings)
    serve(settings, announce_json if json else banner.show, banner.stop, front=dashboard)


def _settings(**given: Any) -> ServerSettings:
    """The environment's settings with those of the command line over them."""
    from contexten.settings import ServerSettings

    fields = ServerSettings.model_fields
    return ServerSettings(
        **{str(fields[name].validation_alias): value for name, value in given.items() if value is not None}
    )
