"""Workflows: the list of them, and one with its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten._plain import one_line
from contexten.dashboard import graph
from contexten.dashboard.looking import MOST_PAGES, number_in
from contexten.dashboard.page import OneThing, Page
from contexten.dashboard.visit import listeners
from contexten.dashboard.words import duration, money, status_word

if TYPE_CHECKING:
    from contexten.dashboard.live import News
    from contexten.protocol.workflows import Workflow, WorkflowDetail, WorkflowTaskState

SIZE = 20


@dataclass(frozen=True)
class Line:
    """A workflow in the list."""

    id: int = 0
    name: str = ""
    word: str = ""
    tone: str = "idle"
    ended: bool = False
    figures: str = ""
    percent: int = 0
    """How much of it has ended."""
    created: str = ""
    took: str = ""


@dataclass(frozen=True)
class Task:
    """A task of a workflow in its drawing."""

    id: str
    name: str
    role: str
    word: str
    tone: str
    waits: bool
    """Whether a person has to approve it."""
    again: bool
    """Whether the workflow may begin again here."""
    run_id: int
    reason: str
    figures: str
    left: int
    top: int


class Workflows(Page, rx.State):
    """What the list of workflows shows."""

    lines: rx.Field[list[Line]] = rx.field(default_factory=list)
    page: rx.Field[int] = rx.field(1)
    pages: rx.Field[int] = rx.field(1)
    total: rx.Field[int] = rx.field(0)

    @rx.event
    async def load(self) -> None:
        """Show the part of the list that the address names."""
        self.page = min(max(1, number_in(self.router.url.query_parameters.get("page", ""))), MOST_PAGES)
        await self._refresh()

    async def _refresh(self) -> None:
        skip = (self.page - 1) * SIZE
        if (found := await self._ask(lambda client: client.list_workflows(skip=skip, limit=SIZE))) is not None:
            self.lines = [_line(workflow) for workflow in found.items]
            self.total, self.pages, self.loaded = found.total, found.pages, True

    async def _hear(self, news: News) -> None:
        if news.workflows or news.missed:
            await self._refresh()


class OneWorkflow(OneThing, rx.State):
    """What the page of one workflow shows."""

    line: rx.Field[Line] = rx.field(default_factory=Line)
    description: rx.Field[str] = rx.field("")
    tasks: rx.Field[list[Task]] = rx.field(default_factory=list)
    path: rx.Field[str] = rx.field("")
    """Lines between the tasks, as an SVG path."""
    width: rx.Field[int] = rx.field(0)
    height: rx.Field[int] = rx.field(0)
    can_retry: rx.Field[bool] = rx.field(default=False)
    title: rx.Field[str] = rx.field("Workflow")
    """What the tab is called."""

    _workflow_id: int = 0

    @rx.event
    async def load(self) -> None:
        """Show the workflow that the address names."""
        number = number_in(self.router.url.path.rpartition("/")[2])
        if number != self._workflow_id or self.absent:
            self.reset()
        self._workflow_id, self.asking, self.announced = number, False, ""
        await self._refresh()

    @rx.event
    async def approve(self, task: str, approved: bool) -> None:
        """Let a task begin, or not."""
        await self._change(lambda client: client.approve_workflow_task(self._workflow_id, task, approved=approved))

    @rx.event
    async def retry(self, task: str) -> None:
        """Begin again at a task; where nothing was done when it is empty."""
        await self._change(lambda client: client.retry_workflow(self._workflow_id, task or None))

    @rx.event
    async def cancel(self) -> None:
        """Stop the workflow."""
        await self._change(lambda client: client.cancel_workflow(self._workflow_id))

    @rx.event
    async def delete(self) -> Any:
        """Delete the workflow, and go back to the list."""
        return await self._deleted(lambda client: client.delete_workflow(self._workflow_id), "/workflows")

    async def _refresh(self) -> None:
        await self._change(lambda client: client.get_workflow(self._workflow_id))

    async def _change(self, call: Any) -> None:
        found: WorkflowDetail | None = await self._ask(call)
        if found is None:
            return
        line = _line(found)
        if self.line.id == line.id and self.line.word != line.word:
            self.announced = f"Workflow {line.id} is {line.word}."
        self.title = f"{line.name} {line.word} · Contexten"
        self.line, self.description, self.loaded = line, one_line(found.definition.description, 1000), True
        self.can_retry = found.has_ended and found.summary.completed < found.summary.total
        where = graph.places(found.tasks)
        self.path, (self.width, self.height) = graph.lines(found.tasks, where), graph.size(where)
        self.tasks = [_task(task, where[task.id], ended=found.has_ended) for task in found.tasks]

    async def _hear(self, news: News) -> None:
        if self._workflow_id in news.workflows or news.missed:
            await self._refresh()


def _line(workflow: Workflow) -> Line:
    word, tone = status_word(workflow.status)
    summary = workflow.summary
    over = summary.completed + summary.failed + summary.skipped + summary.cancelled
    parts = [f"{summary.completed} of {summary.total} done"]
    for count, what in ((summary.running, "running"), (summary.failed, "failed"), (summary.waiting, "waiting for you")):
        parts += [f"{count} {what}"] if count else []
    parts += [cost] if (cost := money(summary.cost_usd)) else []
    return Line(
        id=workflow.id,
        name=one_line(workflow.name, 160),
        word="waits for you" if workflow.status == "PAUSED" else word,
        tone=tone,
        ended=workflow.has_ended,
        figures=" · ".join(parts),
        percent=100 * over // summary.total if summary.total else 0,
        created=workflow.created_at,
        took=duration(workflow.created_at, workflow.finished_at),
    )


def _task(task: WorkflowTaskState, place: graph.Place, *, ended: bool) -> Task:
    word, tone = status_word(task.status)
    parts = [duration(task.started_at, task.finished_at), money(task.cost_usd)]
    parts += [f"attempt {task.attempt}"] if task.attempt > 1 else []
    return Task(
        id=task.id,
        name=one_line(task.name or task.id, 80),
        role=one_line(task.role, 60),
        word=word,
        tone=tone,
        waits=task.status == "WAITING",
        again=ended and task.status != "COMPLETE",
        run_id=task.run_id or 0,
        reason=one_line(task.reason or "", 300),
        figures=" · ".join(part for part in parts if part),
        left=place.left,
        top=place.top,
    )


listeners["/workflows"] = Workflows
listeners["/workflows/[workflow_id]"] = OneWorkflow
