"""How often an address may come with a link that does not work."""

from __future__ import annotations

import time
from collections import deque

from cachetools import LRUCache

FAILURES = 10
SECONDS = 60.0


class Guesses:
    """Counts the failures of the 1,024 addresses that failed last."""

    def __init__(self) -> None:
        self._failures: LRUCache[str, deque[float]] = LRUCache(1024)

    def may(self, who: str) -> bool:
        """Whether an address may try again."""
        failures = self._failures.get(who)
        return failures is None or len(failures) < FAILURES or time.monotonic() - failures[0] > SECONDS

    def failed(self, who: str) -> None:
        """Count a failure; the newest ones are remembered."""
        self._failures.setdefault(who, deque(maxlen=FAILURES)).append(time.monotonic())
