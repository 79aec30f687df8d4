"""Waiting for a run to end while telling how far it is: the caller hears something every few seconds."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from contexten._plain import one_line
from contexten.mcp.answers import line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contexten.client import AsyncAgentTask

_SHOWN = 200
SILENCE = 5.0
"""Seconds after which a caller is told again what it knows: some give up on a tool that says nothing."""


async def until_ended(task: AsyncAgentTask, seconds: float, progress: Callable[[str], Awaitable[None]]) -> None:
    """Wait until a run has ended, but not longer than `seconds`; it is refreshed then. The run itself is not stopped.

    Args:
        task: the run.
        seconds: how long to wait; 0 does not.
        progress: told each log entry in one line, and the last one again after a silence.
    """
    if not seconds or task.is_terminal:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _follow(task, progress)
    if not task.is_terminal:
        await task.refresh()


async def _follow(task: AsyncAgentTask, progress: Callable[[str], Awaitable[None]]) -> None:
    said = f"run {task.id}: {str(task.status).lower()}"
    saying: list[str] = []
    async with aclosing(task.stream(saying.append)) as log:
        coming = asyncio.ensure_future(anext(log, None))
        try:
            while True:
                await progress(said)
                await asyncio.wait({coming}, timeout=SILENCE)
                if not coming.done():
                    said = one_line(saying[-1][-_SHOWN:]) if saying else said
                    saying.clear()
                    continue
                entry = coming.result()
                if entry is None:
                    return
                said = line(entry)
                saying.clear()
                coming = asyncio.ensure_future(anext(log, None))
        finally:
            coming.cancel()
            await asyncio.wait({coming})
