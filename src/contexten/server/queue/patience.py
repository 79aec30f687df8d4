"""Waiting for a store that is unavailable: a full disk or a database that restarts ends no run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from contexten.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two tries."""

logger = logging.getLogger(__name__)


class Outage:
    """Says that the store is unavailable: once for all that wait, until it is back."""

    def __init__(self) -> None:
        self._noted = False

    def note(self, error: StoreUnavailableError) -> None:
        """Something met an unavailable store."""
        if not self._noted:
            logger.warning("Runs wait for the store: %s", error)
        self._noted = True

    def over(self) -> None:
        """Something met a store that works."""
        if self._noted:
            logger.warning("The store is back; runs go on.")
        self._noted = False


class Patience:
    """Asks the store again and again, until it answers or the server stops."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._ended = False

    def end(self) -> None:
        """Wait no more: from now on an unavailable store is an error at once."""
        self._ended = True

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives; it must be harmless to ask twice.

        Raises:
            StoreUnavailableError: the store is unavailable and the wait is over.
        """
        while True:
            try:
                answer = await ask()
            except StoreUnavailableError as error:
                if self._ended:
                    raise
                self._outage.note(error)
                await asyncio.sleep(PAUSE)
            else:
                self._outage.over()
                return answer
