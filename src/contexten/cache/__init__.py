"""One cache for everybody: memory, then Redis where an address is given, then a file; one computation per key at a time.

It knows nothing of what it keeps. The names are fetched when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
    from contexten.cache.cache import Cache
    from contexten.cache.flight import SingleFlight
    from contexten.cache.statistics import CacheStatistics

_HOMES = {
    "Cache": "contexten.cache.cache",
    "CacheStatistics": "contexten.cache.statistics",
    "SingleFlight": "contexten.cache.flight",
}

__all__ = ["Cache", "CacheStatistics", "SingleFlight"]

__getattr__ = fetching(__name__, _HOMES)
