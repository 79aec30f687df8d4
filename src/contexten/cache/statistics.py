"""What a cache has done since it was made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """Figures of one cache in one process; by tier where several have them."""

    hits: dict[str, int]
    """Lookups that a tier answered."""
    misses: int
    """Lookups that no tier answered."""
    shared: int
    """Computations spared because another of the same key was under way."""
    evictions: dict[str, int]
    """Entries that had to go because others came."""
    entries: dict[str, int]
    """Entries of each tier that knows."""
    bytes: dict[str, int]
    """Bytes of each tier that knows."""
    broken: tuple[str, ...]
    """Tiers that are done without at this moment."""

    @property
    def requests(self) -> int:
        """Lookups and computations spared."""
        return sum(self.hits.values()) + self.shared + self.misses

    @property
    def hit_rate(self) -> float:
        """Share of the requests, 0 to 1, that needed no computation; 0 before the first."""
        return 1 - self.misses / self.requests if self.requests else 0.0

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {**asdict(self), "broken": list(self.broken), "requests": self.requests, "hit_rate": self.hit_rate}
