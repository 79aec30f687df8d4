"""Following a run to its end, and what becomes of it when the person presses Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import typer

from contexten.cli.errors import DONE, FAILED, INTERRUPTED
from contexten.cli.live import LiveLog, heading, outcome
from contexten.cli.output import emit, note, say
from contexten.cli.progress import Progress
from contexten.cli.waiting import Waiting
from contexten.errors import ContextenError
from contexten.protocol import MessageType

if TYPE_CHECKING:
    from contexten.cli.connect import Connection
    from contexten.client import AgentTask


def follow(connection: Connection, task: AgentTask, *, place: str | None, json: bool) -> int:
    """Show a run until it ends; the exit code says whether it did what was asked.

    Args:
        connection: where the run is.
        task: the run, just created or resumed.
        place: folder or address that it works on.
        json: write the ended run as JSON instead of its log.
    """
    try:
        with Waiting(connection.client):
            if json:
                emit(task.wait().run)
            else:
                _show(task, place, embedded=connection.embedded)
    except KeyboardInterrupt:
        _interrupted(task, embedded=connection.embedded)
    return DONE if task.is_successful else FAILED


def _show(task: AgentTask, place: str | None, *, embedded: bool) -> None:
    log = LiveLog()
    with Progress("waiting for the first step") as progress:
        progress.say([heading(task.run, place)])
        for entry in task.stream():
            if entry.message_type != MessageType.USER_MESSAGE:
                progress.say(log.lines(entry))
                progress.update("working")
        progress.say(log.rest(task.result))
    # The page of a server inside this process is gone in a moment.
    say(outcome(task.run, f"contexten runs show {task.id}" if embedded else task.web_url))


def _interrupted(task: AgentTask, *, embedded: bool) -> NoReturn:
    if not embedded:
        note(f"run {task.id} goes on. Follow it: contexten runs logs {task.id} --follow")
        note(f"Stop it: contexten runs cancel {task.id}")
        raise typer.Exit(INTERRUPTED)
    try:
        task.cancel()
    except ContextenError as error:
        note(f"run {task.id} could not be cancelled ({error}). It continues at the next start: contexten up")
    else:
        note(f'run {task.id} was cancelled. Continue it: contexten runs resume {task.id} "…"')
    raise typer.Exit(INTERRUPTED)
