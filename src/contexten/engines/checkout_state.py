"""What is noted beside a run's copy: how it began, which turn it was last opened for, and which turn's end it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.engines.base import Task

_FILE = "state.json"


def is_noted(folder: Path) -> bool:
    """Whether a folder has notes about a copy."""
    return (folder / _FILE).is_file()


def read_state(folder: Path) -> dict[str, Any]:
    """The notes about the copy in a folder.

    Raises:
        FileNotFoundError: there are none.
        ValueError: they were cut short.
    """
    state: dict[str, Any] = json.loads((folder / _FILE).read_text("utf-8"))
    return state


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the notes anew, all at once."""
    beside = folder / f"{_FILE}.new"
    beside.write_text(json.dumps(state), "utf-8")
    beside.replace(folder / _FILE)


def is_stale(folder: Path, task: Task) -> bool:
    """Whether the run's last turn ended elsewhere, so that this copy lacks what it changed."""
    state = read_state(folder)
    is_known = "begun" in state  # one of an earlier version has no such notes
    return is_known and task.kept is not None and state.get("kept") != task.kept.turn


def begin(folder: Path, task: Task) -> bool:
    """Note which attempt works in a copy; whether another worker may have made one in between that is not in it."""
    state = read_state(folder)
    turn, attempt = state.get("begun", (task.turn, task.attempt - 1))
    write_state(folder, {**state, "begun": [task.turn, task.attempt]})
    return bool(turn == task.turn and attempt < task.attempt - 1)
