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


class Patience:
    """Asks the store again and again, until it answers or the server stops."""

    def __init__(self) -> None:
        self._over = False
        self._waiting = False

    def end(self) -> None:
        """Wait no more: from now on an unavailable store is an error at once."""
        self._over = True

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives; it must be harmless to ask twice.

        Raises:
            StoreUnavailableError: the store is unavailable and the wait is over.
        """
        while True:
            try:
                answer = await ask()
            except StoreUnavailableError as error:
                if self._over:
                    raise
                self._note(error)
                await asyncio.sleep(PAUSE)
            else:
                self._waiting = False
                return answer

    def _note(self, error: StoreUnavailableError) -> None:
        if not self._waiting:  # once for all runs, not for each
            logger.warning("Runs wait for the store: %s", error)
        self._waiting = True
