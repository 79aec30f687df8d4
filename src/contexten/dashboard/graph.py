"""Where the tasks of a workflow stand in a drawing: a column for each step, lines between those that wait for each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.protocol.workflows import WorkflowTaskState

WIDTH, HEIGHT = 216, 84
_COLUMN, _ROW = 272, 104


@dataclass(frozen=True)
class Place:
    """The upper left corner of a task, in pixels."""

    left: int
    top: int


def places(tasks: Sequence[WorkflowTaskState]) -> dict[str, Place]:
    """Where each task stands: right of everything that it waits for."""
    columns: dict[str, int] = {}
    known = {task.id for task in tasks}
    waiting = list(tasks)
    while waiting:
        ready = [task for task in waiting if all(d in columns for d in task.dependencies if d in known)] or waiting[:1]
        for task in ready:
            columns[task.id] = max((columns.get(name, -1) for name in task.dependencies), default=-1) + 1
        waiting = [task for task in waiting if task.id not in columns]
    rows: dict[int, int] = {}
    found = {}
    for task in tasks:
        column = columns[task.id]
        row = rows[column] = rows.get(column, -1) + 1
        found[task.id] = Place(column * _COLUMN, row * _ROW)
    return found


def lines(tasks: Sequence[WorkflowTaskState], where: dict[str, Place]) -> str:
    """One SVG path of all lines from a task to those that wait for it."""
    return " ".join(_line(where[name], where[task.id]) for task in tasks for name in task.dependencies if name in where)


def size(where: dict[str, Place]) -> tuple[int, int]:
    """Width and height of the drawing, in pixels."""
    right = max((place.left for place in where.values()), default=0) + WIDTH
    return right, max((place.top for place in where.values()), default=0) + HEIGHT


def _line(start: Place, end: Place) -> str:
    x, y = start.left + WIDTH, start.top + HEIGHT // 2
    to_x, to_y = end.left, end.top + HEIGHT // 2
    bend = (to_x - x) // 2
    return f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
