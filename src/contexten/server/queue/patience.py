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
    """What the store keeps from being done now. Says so in the log once, and once more when nothing waits any longer."""

    def __init__(self) -> None:
        self._waiting: dict[object, str] = {}

    @property
    def problem(self) -> str | None:
        """Why something waits, for a person; None when nothing does."""
        return next(iter(self._waiting.values()), None)

    def note(self, who: object, error: StoreUnavailableError) -> None:
        """`who` met an unavailable store, and waits for it."""
        if not self._waiting:
            logger.warning("Runs wait for the store, and go on by themselves. %s", error)
        self._waiting[who] = str(error)

    def over(self, who: object) -> None:
        """`who` met a store that works."""
        if self._waiting.pop(who, None) is not None and not self._waiting:
            logger.warning("The store is back; runs go on.")

    def forget(self, who: object) -> None:
        """`who` waits no more."""
        self._waiting.pop(who, None)


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
        who = object()
        try:
            while True:
                try:
                    answer = await ask()
                except StoreUnavailableError as error:
                    if self._ended:
                        raise
                    self._outage.note(who, error)
                    await asyncio.sleep(PAUSE)
                else:
                    self._outage.over(who)
                    return answer
        finally:
            self._outage.forget(who)
