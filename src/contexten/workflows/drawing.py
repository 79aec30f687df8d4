"""A workflow drawn: as text for a terminal, or in Mermaid's language for documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.workflows.graph import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.protocol.workflows import WorkflowDefinition


def as_text(definition: WorkflowDefinition) -> Iterator[str]:
    """A line for each task, after those that it waits for; the marks of a gate and of an allowed failure with it."""
    tasks = {task.id: task for task in definition.tasks}
    depths: dict[str, int] = {}
    for name in in_order({task.id: task.dependencies for task in definition.tasks}):
        task = tasks[name]
        depths[name] = 1 + max((depths[other] for other in task.dependencies), default=-1)
        marks = [
            *(["needs approval"] if task.approval else []),
            *(["may fail"] if task.on_failure == "continue" else []),
        ]
        after = f"  ← {', '.join(task.dependencies)}" if task.dependencies else ""
        told = f"  [{', '.join(marks)}]" if marks else ""
        yield f"{'  ' * depths[name]}{name} ({task.role}){after}{told}"


def as_mermaid(definition: WorkflowDefinition) -> Iterator[str]:
    """The lines of a Mermaid flowchart. Ids and names are written so that they mean nothing to Mermaid."""
    numbers = {task.id: f"t{number}" for number, task in enumerate(definition.tasks)}
    yield "flowchart TD"
    for task in definition.tasks:
        label = f"{_plain(task.title)}<br/>{_plain(task.role)}"
        yield f'  {numbers[task.id]}["{label}"]' if not task.approval else f'  {numbers[task.id]}{{{{"{label}"}}}}'
    for task in definition.tasks:
        for other in task.dependencies:
            yield f"  {numbers[other]} --> {numbers[task.id]}"


def _plain(text: str) -> str:
    return re.sub(r"[^\w .,:/-]", " ", text)
