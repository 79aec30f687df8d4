"""Following a run to its end, and what becomes of it when the person presses Ctrl-C."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import typer

from contexten.cli.changes import next_steps
from contexten.cli.errors import DONE, FAILED, INTERRUPTED
from contexten.cli.live import LiveLog, heading, last_words, outcome
from contexten.cli.output import emit, home_relative, note, say
from contexten.cli.progress import Progress
from contexten.cli.waiting import Waiting
from contexten.errors import ContextenError
from contexten.protocol import MessageType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.cli.connect import Connection
    from contexten.client import AgentTask


@contextmanager
def beginning(command: str) -> Iterator[Event]:
    """Tells the person who presses Ctrl-C before the run has begun, which is when the event is set, how to go on."""
    begun = Event()
    try:
        yield begun
    except KeyboardInterrupt:
        if not begun.is_set():
            note(f"The run had not begun. Begin it again: {command}")
        raise


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
                _show(connection, task, place)
    except KeyboardInterrupt:
        _interrupted(task, embedded=connection.embedded)
    return DONE if task.is_successful else FAILED


def _show(connection: Connection, task: AgentTask, place: str | None) -> None:
    log = LiveLog()
    with Progress(_first(task, place)) as progress:
        progress.say([heading(task.run, place)])
        for entry in task.stream(progress.on_text(last_words)):
            if entry.message_type != MessageType.USER_MESSAGE:
                progress.say(log.lines(entry))
                progress.update("working")
        progress.say(log.rest(task.result))
    say(outcome(task.run, f"contexten runs show {task.id}"))
    if steps := next_steps(connection.client, task.id):
        say(steps)


def _first(task: AgentTask, place: str | None) -> str:
    """What happens before the first step: an engine that reads code without a model begins with all of it."""
    if place and task.run.get("engine") == "analyst":
        return f"indexing {home_relative(place)}: the first time every file is read"
    return "waiting for the first step"


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
