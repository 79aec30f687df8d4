"""Time as the policy sees it: two clocks and two ways to sleep, replaceable as one."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and sleeps. A test gives one whose sleeps take no time."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; may jump."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        ...

    async def asleep(self, seconds: float) -> None:
        """Suspend this task; cancellation ends it at once."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds of `time.time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Block this thread; an interrupt from the keyboard ends it at once."""
        time.sleep(seconds)

    async def asleep(self, seconds: float) -> None:
        """Suspend this task."""
        import asyncio

        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
