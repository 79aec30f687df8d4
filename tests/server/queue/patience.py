"""Waits for a condition, with a deadline."""

import asyncio
import inspect
import time


async def until(condition, seconds=150):
    """Wait until `condition()`, or what it gives to await, is true."""
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if inspect.isawaitable(held):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
