"""What a coding agent is told: the prompt, and what it has to know beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contexten.engines.base import Task

_LONGEST_RESULT = 4000


def prompt_for(task: Task, *, resumed: bool, interrupted: bool) -> str:
    """The prompt of a turn.

    Args:
        task: what is asked, and what was before.
        resumed: whether the agent remembers the turns before.
        interrupted: whether it had begun with this turn already, and remembers that.
    """
    if interrupted:
        return (
            "You were interrupted while you worked on the request below. See what of it is done, and do the rest.\n\n"
            f"{task.prompt}"
        )
    if resumed or not task.history:
        return task.prompt
    before = "\n\n".join(
        f"Request: {turn.prompt}\nOutcome ({turn.status}): {(turn.result or 'none')[:_LONGEST_RESULT]}"
        for turn in task.history
    )
    return f"This was asked and done before, in this folder:\n\n{before}\n\nNow do this:\n\n{task.prompt}"
