"""Asynchronous work from synchronous programs."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def completed(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work from a synchronous caller, also from one that a running event loop called."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def elsewhere() -> T:
        started.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with ThreadPoolExecutor(1, "contexten-batch") as thread:
        done = thread.submit(copy_context().run, asyncio.run, elsewhere())
        try:
            return done.result()
        except BaseException:
            for loop, task in started:
                if task is not None and not done.done():
                    loop.call_soon_threadsafe(task.cancel)
            raise
