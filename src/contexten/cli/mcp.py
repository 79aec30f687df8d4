"""`contexten mcp`: runs and the code index as tools of other programs, over standard input and output."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contexten.cli.words import application

if TYPE_CHECKING:
    from contexten.cli.ground import Ground

app = application()

_FOR_PROGRAMS = (
    "This speaks the Model Context Protocol with the program that starts it, such as an editor or an agent. "
    "Add it there: claude mcp add contexten -- contexten mcp. Ctrl-C ends it."
)


@app.command(epilog="Example: claude mcp add contexten -- contexten mcp")
def mcp(
    *,
    repo: Annotated[
        Path | None,
        typer.Option(
            help="Project that the tools are about; the current one when absent.", exists=True, file_okay=False
        ),
    ] = None,
) -> None:
    """Serve runs and questions about code to other agents (MCP, over standard input and output).

    Uses the server that is up, or one inside this process while it is needed. The extra `mcp` brings what it needs.
    """
    from contexten.cli.ground import Ground, project_around
    from contexten.cli.output import note

    if sys.stdin.isatty():
        note(_FOR_PROGRAMS)
    folder = repo.resolve() if repo else project_around(Path.cwd())
    if folder is not None:
        os.chdir(folder)  # a server of our own is about where it is started
    raise typer.Exit(asyncio.run(_serve(Ground(folder))))


async def _serve(ground: Ground) -> int:
    """Serve until the other side has closed standard input; a signal ends the process from here."""
    from contexten.mcp import mcp_server

    server = mcp_server(ground.access)
    from mcp.server.stdio import stdio_server

    _end_at_signals(ground)
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        await ground.close()
    return 0


def _end_at_signals(ground: Ground) -> None:
    loop = asyncio.get_running_loop()
    ending: set[asyncio.Task[None]] = set()  # the loop alone would forget them

    def begin(code: int) -> None:
        ending.add(loop.create_task(_end(ground, code)))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, begin, 128 + number)


async def _end(ground: Ground, code: int) -> None:
    """End the process: a thread of it waits for a line of standard input, and nothing makes it stop."""
    from contexten.cli import leave

    await ground.close()
    leave(code)
