"""What a tier can do, and the guard around one: a tier that fails is reported once and done without for a while."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.cache.entry import Entry

T = TypeVar("T")

AWAY = 30.0
"""Seconds for which a tier that failed is left alone."""
_LOG = logging.getLogger("contexten.cache")


class Tier(Protocol):
    """One place where entries are kept. Safe for threads."""

    name: str
    faults: tuple[type[Exception], ...]
    """What it raises when it cannot do its work."""

    @property
    def evictions(self) -> int:
        """Entries that had to go because others came, in this process."""
        ...

    def get(self, key: bytes) -> Entry | None:
        """The entry of a key, when there is one that is not over."""
        ...

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep an entry instead of the key's last one; one that is larger than the whole tier is not kept."""
        ...

    def delete(self, key: bytes) -> None:
        """Forget a key."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def figures(self) -> tuple[int, int] | None:
        """How many entries there are and how many bytes they take; None when the tier is shared with others."""
        ...

    def after_fork(self) -> None:
        """In a forked child: leave locks and connections of the parent behind."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class Guarded:
    """A tier that never fails: what it cannot do is left out."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.name = tier.name
        self._away_until = 0.0
        self._reported = False

    @property
    def broken(self) -> bool:
        """Whether the tier is done without at this moment."""
        return time.monotonic() < self._away_until

    def get(self, key: bytes) -> Entry | None:
        """The entry of a key, when the tier works and has one."""
        return self._tried(lambda: self.tier.get(key))

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep an entry when the tier works."""
        self._tried(lambda: self.tier.put(key, entry))

    def delete(self, key: bytes) -> None:
        """Forget a key when the tier works."""
        self._tried(lambda: self.tier.delete(key))

    def clear(self) -> None:
        """Forget everything when the tier works."""
        self._tried(self.tier.clear)

    def figures(self) -> tuple[int, int] | None:
        """How many entries and bytes, when the tier works and knows."""
        return self._tried(self.tier.figures)

    def _tried(self, work: Callable[[], T]) -> T | None:
        if self.broken:
            return None
        try:
            result = work()
        except self.tier.faults as error:
            self._leave(error)
            return None
        self._reported = False
        return result

    def _leave(self, error: Exception) -> None:
        self._away_until = time.monotonic() + AWAY
        if not self._reported:
            self._reported = True
            _LOG.warning("The cache goes on without its tier %s: %s: %s", self.name, type(error).__name__, error)
