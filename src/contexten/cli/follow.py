"""Following a run to its end, and what becomes of it when the person presses Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

from contexten.cli.errors import DONE, FAILED, INTERRUPTED
from contexten.cli.live import entry_lines, heading, outcome
from contexten.cli.output import emit, note
from contexten.cli.progress import Progress
from contexten.errors import ContextenError

if TYPE_CHECKING:
    from contexten.cli.connect import Connection
    from contexten.protocol import AgentRunDetail


def follow(connection: Connection, run: AgentRunDetail, *, place: str | None, json: bool) -> int:
    """Show a run until it ends; the exit code says whether it did what was asked.

    Args:
        connection: where the run is.
        run: the run, as it was when it was created or resumed.
        place: folder or address that it works on.
        json: write the ended run as JSON instead of its log.
    """
    try:
        ended = _watched(connection, run, place, quiet=json)
    except KeyboardInterrupt:
        _interrupted(connection, run)
    if json:
        emit(ended)
    return DONE if ended.is_successful else FAILED


def _watched(connection: Connection, run: AgentRunDetail, place: str | None, *, quiet: bool) -> AgentRunDetail:
    if quiet:
        return connection.client.wait(run.id)
    with Progress("waiting for the first step") as progress:
        progress.say(heading(run, place))
        for entry in connection.client.stream(run.id, turn=run.turn):
            for line in entry_lines(entry):
                progress.say(line)
            progress.update("working")
    ended = connection.client.get_agent_run(run.id)
    Progress("").say(outcome(ended))
    return ended


def _interrupted(connection: Connection, run: AgentRunDetail) -> NoReturn:
    if not connection.embedded:
        note(
            f"run {run.id} goes on. Follow it: contexten runs logs {run.id} --follow · stop it: contexten runs cancel {run.id}"
        )
        raise typer.Exit(INTERRUPTED)
    try:
        connection.client.cancel_agent_run(run.id)
    except ContextenError as error:
        note(f"run {run.id} could not be cancelled ({error}). It continues at the next start: contexten up")
    else:
        note(f'run {run.id} was cancelled. Continue it: contexten runs resume {run.id} "…"')
    raise typer.Exit(INTERRUPTED)
