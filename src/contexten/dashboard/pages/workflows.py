"""The pages of workflows: the list, and one as a drawing of its tasks."""

from __future__ import annotations

from typing import Any

import reflex as rx

from contexten.dashboard.graph import HEIGHT, WIDTH
from contexten.dashboard.pages.parts import (
    announced,
    button,
    empty,
    fact,
    link,
    loading,
    moment,
    one,
    problem,
    status,
    sure,
)
from contexten.dashboard.pages.shell import shell
from contexten.dashboard.workflows import Line, OneWorkflow, Task, Workflows


def workflows_page() -> rx.Component:
    """Workflows, newest first."""
    return shell(
        "Workflows",
        rx.el.h1("Workflows"),
        problem(Workflows.problem),
        rx.cond(
            Workflows.loaded,
            rx.cond(
                Workflows.lines.length() > 0,
                rx.fragment(
                    rx.el.ol(rx.foreach(Workflows.lines, _line), class_name="cards", aria_label="Workflows"),
                    _turning(),
                ),
                empty(
                    "No workflows yet.",
                    rx.el.p("A workflow is a graph of runs. Begin one: ", rx.el.code("contexten workflows run FILE")),
                ),
            ),
            rx.cond(Workflows.problem == "", loading()),
        ),
    )


def workflow_page() -> rx.Component:
    """One workflow."""
    return shell(
        "Workflows",
        one(OneWorkflow, _workflow(), back="Show all workflows", to="/workflows"),
        wide=True,
    )


def _line(line: rx.vars.ObjectVar[Line]) -> rx.Component:
    return rx.el.li(
        rx.el.article(
            rx.el.div(
                status(line.word, line.tone),
                rx.el.span("Workflow ", line.id, class_name="figure"),
                fact(line.took),
                moment(line.created),
                class_name="line",
            ),
            link(line.name, to="/workflows/" + line.id.to_string(), class_name="card-title"),
            _progress(line),
            rx.el.div(rx.el.span(line.figures, class_name="figure"), class_name="line details"),
            class_name="card",
        ),
        key=line.id.to_string(),
    )


def _progress(line: Any) -> rx.Component:
    return rx.el.progress(value=line.percent, max=100, class_name="progress", aria_label="How much has ended")


def _turning() -> rx.Component:
    page = Workflows.page
    return rx.el.nav(
        rx.cond(page > 1, link("← Newer", to="/workflows?page=" + (page - 1).to_string(), class_name="button")),
        rx.el.span(Workflows.total, " in all", class_name="figure"),
        rx.cond(
            page < Workflows.pages, link("Older →", to="/workflows?page=" + (page + 1).to_string(), class_name="button")
        ),
        aria_label="Parts of the list",
        class_name="turning",
    )


def _workflow() -> rx.Component:
    line = OneWorkflow.line
    return rx.fragment(
        rx.el.div(
            rx.el.h1(line.name),
            status(line.word, line.tone),
            rx.cond(
                OneWorkflow.asking,
                sure(
                    "Delete this workflow? Its runs stay.", yes=OneWorkflow.delete, no=OneWorkflow.ask_to_delete(False)
                ),
                rx.el.div(
                    rx.cond(OneWorkflow.can_retry, button("Retry what was not done", on_click=OneWorkflow.retry(""))),
                    rx.cond(
                        line.ended,
                        button("Delete", kind="quiet", on_click=OneWorkflow.ask_to_delete(True)),
                        button("Cancel", on_click=OneWorkflow.cancel),
                    ),
                    class_name="actions",
                ),
            ),
            class_name="line head-line",
        ),
        rx.cond(OneWorkflow.description != "", rx.el.p(OneWorkflow.description, class_name="description")),
        rx.el.div(fact(line.figures), fact(line.took), moment(line.created), class_name="line details"),
        _progress(line),
        problem(OneWorkflow.problem),
        announced(OneWorkflow.announced),
        rx.el.div(
            rx.el.div(
                rx.el.svg(
                    rx.el.svg.path(d=OneWorkflow.path, fill="none"),
                    width=OneWorkflow.width,
                    height=OneWorkflow.height,
                    class_name="graph-lines",
                    aria_hidden="true",
                ),
                rx.el.ol(rx.foreach(OneWorkflow.tasks, _task), aria_label="Tasks", class_name="graph-tasks"),
                style={"width": OneWorkflow.width.to_string() + "px", "height": OneWorkflow.height.to_string() + "px"},
                class_name="graph",
            ),
            class_name="graph-frame",
            tab_index=0,
            role="region",
            aria_label="Drawing of the tasks",
        ),
    )


def _task(task: rx.vars.ObjectVar[Task]) -> rx.Component:
    return rx.el.li(
        rx.el.div(status(task.word, task.tone), fact(task.figures), class_name="line"),
        rx.cond(
            task.run_id > 0,
            link(task.name, to="/runs/" + task.run_id.to_string(), class_name="task-name", title=task.reason),
            rx.el.span(task.name, class_name="task-name", title=task.reason),
        ),
        rx.cond(
            task.waits,
            rx.el.div(
                button(
                    "Approve",
                    kind="small main",
                    on_click=OneWorkflow.approve(task.id, True),
                    aria_label="Approve " + task.name,
                ),
                button(
                    "Decline",
                    kind="small",
                    on_click=OneWorkflow.approve(task.id, False),
                    aria_label="Decline " + task.name,
                ),
                class_name="line",
            ),
            rx.cond(
                task.again,
                button(
                    "Retry from here",
                    kind="small",
                    on_click=OneWorkflow.retry(task.id),
                    aria_label="Retry from " + task.name,
                ),
                rx.el.span(rx.cond(task.reason != "", task.reason, task.role), class_name="figure task-role"),
            ),
        ),
        class_name=f"task {task.tone}",
        style={
            "left": task.left.to_string() + "px",
            "top": task.top.to_string() + "px",
            "width": f"{WIDTH}px",
            "height": f"{HEIGHT}px",
        },
        key=task.id,
    )
