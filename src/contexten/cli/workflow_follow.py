"""A workflow on the screen: as it stands, and as it goes on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

import typer

from contexten._plain import clean, one_line
from contexten.cli.errors import DONE, FAILED, INTERRUPTED
from contexten.cli.output import counted, emit, note, room, say, styled, table
from contexten.cli.waiting import Waiting
from contexten.protocol.workflows import TaskStatus, WorkflowStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.cli.connect import Connection
    from contexten.protocol.workflows import WorkflowDetail, WorkflowTaskState

_STYLES = {
    TaskStatus.COMPLETE: "green",
    TaskStatus.FAILED: "red",
    TaskStatus.CANCELLED: "red",
    TaskStatus.WAITING: "yellow",
    TaskStatus.RETRYING: "yellow",
    TaskStatus.SKIPPED: "dim",
}
_LONGEST_NAME = 24
_MINUTE = 60


def show_workflow(flow: WorkflowDetail) -> None:
    """Write a workflow, its tasks, and what a person may do about it."""
    say(_heading(flow))
    rows = [
        (task.id, task.status, _took(task.started_at, task.finished_at), task.run_id or "-", task.reason or task.name)
        for task in flow.tasks
    ]
    table(("TASK", "STATUS", "TIME", "RUN", "NAME OR REASON"), rows)
    say(_foot(flow))
    for line in _next_steps(flow):
        note(line)


def follow_workflow(connection: Connection, flow: WorkflowDetail, *, json: bool) -> int:
    """Show a workflow until it ends; the exit code says whether it did what was asked.

    Args:
        connection: where the workflow is.
        flow: the workflow, just started or fetched.
        json: write the ended workflow as JSON, with what its tasks said, instead of what happens.
    """
    try:
        with Waiting(connection.client):
            flow = _followed(connection, flow, quiet=json)
        if json:
            emit(connection.client.get_workflow(flow.id, results=True))
    except KeyboardInterrupt:
        _interrupted(flow, embedded=connection.embedded)
    if not json:
        say(_foot(flow))
        for line in _next_steps(flow):
            note(line)
    return DONE if flow.status is WorkflowStatus.COMPLETE else FAILED


def _followed(connection: Connection, flow: WorkflowDetail, *, quiet: bool) -> WorkflowDetail:
    """The workflow when it has ended; what happens until then is said unless it shall be quiet."""
    known: dict[str, tuple[TaskStatus, int]] = {}
    if not quiet:
        say(_heading(flow))
    for flow in connection.client.follow_workflow(flow.id):  # noqa: B020, PLR1704 - the same workflow, as it stands then
        news = [
            task for task in flow.tasks if known.get(task.id, (TaskStatus.PENDING, 0)) != (task.status, task.attempt)
        ]
        known |= {task.id: (task.status, task.attempt) for task in news}
        if not quiet:
            _say_news(flow, news)
    return flow


def _say_news(flow: WorkflowDetail, news: list[WorkflowTaskState]) -> None:
    width = min(_LONGEST_NAME, max(len(task.id) for task in flow.tasks))
    for task in news:
        name = one_line(task.id, width)
        status = styled(f"{task.status.lower():<9}", _STYLES.get(task.status, "cyan"))
        facts = one_line(" · ".join(_facts(task)), room(width + 14))
        say(f"  {name:<{width}}  {status}  {facts}".rstrip())
        if task.status is TaskStatus.WAITING:
            note(f"  it waits for approval: contexten workflows approve {flow.id} {clean(task.id)}")


def _facts(task: WorkflowTaskState) -> Iterator[str]:
    if task.run_id is not None:
        yield f"run {task.run_id}"
    if task.attempt > 1:
        yield f"attempt {task.attempt}"
    if task.finished_at:
        yield _took(task.started_at, task.finished_at)
    if task.reason:
        yield task.reason


def _heading(flow: WorkflowDetail) -> str:
    return f"  workflow {flow.id} · {one_line(flow.name)} · {counted(len(flow.tasks), 'task')}"


def _foot(flow: WorkflowDetail) -> str:
    style = "green" if flow.status is WorkflowStatus.COMPLETE else "red" if flow.has_ended else "yellow"
    took = f" in {_took(flow.created_at, flow.finished_at)}" if flow.finished_at else ""
    figures = flow.summary
    parts = [
        styled(flow.status.lower(), style) + took,
        f"{figures.completed} of {figures.total} done",
        f"${figures.cost_usd:.2f}" if figures.cost_usd else "",
        f"contexten workflows show {flow.id}",
    ]
    return "  " + " · ".join(part for part in parts if part)


def _next_steps(flow: WorkflowDetail) -> Iterator[str]:
    if flow.has_ended and flow.status is not WorkflowStatus.COMPLETE:
        yield f"Do again what was not done: contexten workflows retry {flow.id}"
    for task in flow.tasks:
        if task.status is TaskStatus.WAITING:
            yield f"{clean(task.id)} waits for approval: contexten workflows approve {flow.id} {clean(task.id)}"


def _interrupted(flow: WorkflowDetail, *, embedded: bool) -> NoReturn:
    if embedded:
        note(f"workflow {flow.id} is kept and goes on at the next start: contexten up")
    else:
        note(f"workflow {flow.id} goes on. Follow it: contexten workflows follow {flow.id}")
    note(f"Stop it: contexten workflows cancel {flow.id}")
    raise typer.Exit(INTERRUPTED)


def _took(started: str | None, finished: str | None) -> str:
    if not (started and finished):
        return ""
    seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds:.0f} s"
