"""Which runs are deleted, showing them first, and deleting them one after the other."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from contexten.cli.absent import known
from contexten.cli.consent import agreed
from contexten.cli.errors import FAILED
from contexten.cli.live import age
from contexten.cli.output import counted, emit, note, say, table
from contexten.cli.progress import Progress
from contexten.errors import ConflictError, ContextenError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.cli.connect import Connection
    from contexten.protocol import AgentRun

_SHOWN = 10
_AGE = re.compile(r"(\d{1,6}) ?(s|min|h|d|w)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def moment_before_now(text: str) -> datetime:
    """The moment so long ago, as in `30d`.

    Raises:
        UsageError: the text is not an age.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"the age is {text!r}. Write a number and a unit, such as 30d, 12h, 90min or 2w")
    try:
        return datetime.now(UTC) - timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def named(connection: Connection, numbers: Sequence[int]) -> list[AgentRun]:
    """The runs with these numbers, each once.

    Raises:
        NotFoundError: one is not there.
        ContextenError: one goes on.
    """
    found = []
    for number in dict.fromkeys(numbers):
        with known(connection, "run", number):
            run = connection.client.get_agent_run(number)
        if not run.is_terminal:
            state = str(run.status).lower()
            raise ContextenError(
                f"run {number} is {state}; nothing was deleted. Cancel it: contexten runs cancel {number}"
            )
        found.append(run)
    return found


def ended_before(connection: Connection, moment: datetime) -> list[AgentRun]:
    """The runs that ended before a moment, newest first."""
    with Progress("looking for runs"):
        return [run for run in connection.client.iter_agent_runs() if _ended_before(run, moment)]


def preview(runs: Sequence[AgentRun], *, json: bool) -> None:
    """Show which runs would be deleted."""
    if json:
        emit({"found": [run.id for run in runs], "deleted": []})
    elif runs:
        _table(runs)
        note(f"{_count(runs)} would be deleted.")
    else:
        note("No run ended that long ago.")


def delete_runs(connection: Connection, runs: Sequence[AgentRun], *, yes: bool, json: bool) -> None:
    """Delete runs when the person agrees. One that somebody else deleted meanwhile is as good as deleted.

    Raises:
        Exit: the person does not agree, or a run has been resumed meanwhile and stays.
        UsageError: nobody can be asked.
    """
    if not yes and not _agreed(runs, json=json):
        note("Nothing was deleted.")
        raise typer.Exit(FAILED)
    with Progress(f"deleting {_count(runs)}"):
        deleted = [run.id for run in runs if _delete(connection, run.id)]
    if json:
        emit({"found": [run.id for run in runs], "deleted": deleted})
    else:
        say(f"{_count(deleted)} deleted")
    if len(deleted) < len(runs):
        raise typer.Exit(FAILED)


def _agreed(runs: Sequence[AgentRun], *, json: bool) -> bool:
    deed = f"deleting {_count(runs)}"
    return agreed(f"Delete {_count(runs)} for good?", deed, show=lambda: _table(runs), json=json)


def _delete(connection: Connection, number: int) -> bool:
    try:
        connection.client.delete_agent_run(number)
    except NotFoundError:
        return True
    except ConflictError as error:
        note(f"run {number} stays: {error.message}")
        return False
    return True


def _table(runs: Sequence[AgentRun]) -> None:
    rows = [(run.id, run.status, age(run.get("finished_at")), run.get("prompt", "")) for run in runs]
    table(("RUN", "STATUS", "ENDED", "PROMPT"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        note(f"… and {len(rows) - _SHOWN} more, down to run {runs[-1].id}")


def _ended_before(run: AgentRun, moment: datetime) -> bool:
    finished = run.get("finished_at")
    return run.is_terminal and finished is not None and datetime.fromisoformat(finished) < moment


def _count(runs: Sequence[object]) -> str:
    return counted(len(runs), "run")
