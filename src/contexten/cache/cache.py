"""The cache: looked up from the first tier to the last; what a lower one has is put into those above it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from contexten.cache.entry import NEVER, Entry, decoded, encoded
from contexten.cache.flight import SingleFlight
from contexten.cache.memory import MemoryTier
from contexten.cache.statistics import CacheStatistics
from contexten.cache.tier import Guarded
from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr

MEMORY_BYTES = 32 * 2**20
DISK_BYTES = 256 * 2**20
MISS = "miss"


class Cache:
    """Values by key: bytes, or JSON that comes back as it was. For threads, tasks, forks and, on disk, for processes.

    The memory of one process does not hear what another writes: let keys name their content, or give values a lifetime.

    Args:
        name: keeps caches apart that share a folder or a Redis.
        memory_bytes: what this process's memory may keep.
        redis_url: address of a Redis to share entries through (extra `redis`); none without.
        folder: where the file is; no file without.
        disk_bytes: what the file may keep.
        ttl: seconds for which a value is good that says nothing else; None for good.
        on_lookup: called with the tier that answered a lookup, or `miss`.
        clock: seconds since the epoch.

    Raises:
        UsageError: a value cannot be meant.
        MissingExtraError: `redis_url` is given and the package `redis` is not installed.
    """

    def __init__(  # noqa: PLR0913 - sizes and places, each by name
        self,
        name: str = "default",
        *,
        memory_bytes: int = MEMORY_BYTES,
        redis_url: str | SecretStr | None = None,
        folder: str | os.PathLike[str] | None = None,
        disk_bytes: int = DISK_BYTES,
        ttl: float | None = None,
        on_lookup: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError(f"A cache's name has letters, digits, - and _ alone, got {name!r}.")
        if memory_bytes < 0 or disk_bytes < 0:
            raise UsageError(f"A cache's sizes must be >= 0 bytes, got {memory_bytes} and {disk_bytes}.")
        self._clock, self._ttl, self._on_lookup = clock, _checked(ttl), on_lookup
        self._memory = MemoryTier(memory_bytes, clock)
        self._tiers = [Guarded(self._memory), *_lower(name, redis_url, folder, disk_bytes, clock)]
        self._flights: SingleFlight[bytes] = SingleFlight()
        self._counting = threading.Lock()
        self._counts: dict[str, int] = dict.fromkeys([*(tier.name for tier in self._tiers), MISS], 0)
        _ALIVE.add(self)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        data = self._read(_bytes(key))
        return default if data is None else decoded(data)

    async def aget(self, key: str, default: Any = None) -> Any:
        """The same for asyncio: what is not in memory is looked up in a thread."""
        named = _bytes(key)
        data = self._remembered(named)
        if data is None:
            data = await asyncio.to_thread(self._read, named)
        return default if data is None else decoded(data)

    def put(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Keep a value in every tier.

        Args:
            key: any text.
            value: bytes or JSON.
            ttl: seconds for which it is good; the cache's own when absent.

        Raises:
            UsageError: the value comes back from JSON as something else, or `ttl` is not above 0.
        """
        self._write(_bytes(key), encoded(value), ttl)

    async def aput(self, key: str, value: Any, ttl: float | None = None) -> None:
        """The same for asyncio."""
        await asyncio.to_thread(self.put, key, value, ttl)

    def delete(self, key: str) -> None:
        """Forget a key in every tier."""
        named = _bytes(key)
        for tier in reversed(self._tiers):
            tier.delete(named)

    async def adelete(self, key: str) -> None:
        """The same for asyncio."""
        await asyncio.to_thread(self.delete, key)

    def clear(self) -> None:
        """Forget everything in every tier, also for others who share it."""
        for tier in reversed(self._tiers):
            tier.clear()

    async def aclear(self) -> None:
        """The same for asyncio."""
        await asyncio.to_thread(self.clear)

    def get_or_compute(self, key: str, compute: Callable[[], Any], ttl: float | None = None) -> Any:
        """The value of a key, computed and kept when there is none; once, however many ask for it at a time.

        A computation that fails is not kept: one who waits tries again, and a second failure is everybody's.
        """
        named, lifetime = _bytes(key), _checked(ttl)
        data = self._remembered(named)
        if data is None:
            data = self._flights.do(
                named, lambda: self._read(named) or self._write(named, encoded(compute()), lifetime)
            )
        return decoded(data)

    async def aget_or_compute(self, key: str, compute: Callable[[], Awaitable[Any]], ttl: float | None = None) -> Any:
        """The same for asyncio. A caller that is cancelled leaves the computation to those who still wait."""
        named, lifetime = _bytes(key), _checked(ttl)

        async def read_or_compute() -> bytes:
            found = await asyncio.to_thread(self._read, named)
            if found is not None:
                return found
            return await asyncio.to_thread(self._write, named, encoded(await compute()), lifetime)

        data = self._remembered(named)
        if data is None:
            data = await self._flights.ado(named, read_or_compute)
        return decoded(data)

    def statistics(self) -> CacheStatistics:
        """What has happened in this process, and what the tiers hold."""
        known = {tier.name: figures for tier in self._tiers if (figures := tier.figures())}
        with self._counting:
            counts = dict(self._counts)
        return CacheStatistics(
            hits={tier.name: counts[tier.name] for tier in self._tiers},
            misses=counts[MISS],
            shared=self._flights.shared,
            evictions={tier.name: tier.tier.evictions for tier in self._tiers},
            entries={name: entries for name, (entries, _) in known.items()},
            bytes={name: size for name, (_, size) in known.items()},
            broken=tuple(tier.name for tier in self._tiers if tier.broken),
        )

    def close(self) -> None:
        """Give back connections and the file; using the cache opens them again."""
        for tier in self._tiers:
            tier.tier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remembered(self, key: bytes) -> bytes | None:
        """What memory alone has; a miss there is none yet."""
        entry = self._memory.get(key)
        if entry is None:
            return None
        self._count(self._memory.name)
        return entry.data

    def _read(self, key: bytes) -> bytes | None:
        for depth, tier in enumerate(self._tiers):
            if (entry := tier.get(key)) is not None:
                for above in self._tiers[:depth]:
                    above.put(key, entry)
                self._count(tier.name)
                return entry.data
        self._count(MISS)
        return None

    def _write(self, key: bytes, data: bytes, ttl: float | None) -> bytes:
        lifetime = self._ttl if ttl is None else _checked(ttl)
        entry = Entry(data, NEVER if lifetime is None else self._clock() + lifetime)
        for tier in reversed(self._tiers):  # a reader meanwhile finds the old value above or the new one, never none
            tier.put(key, entry)
        return data

    def _count(self, outcome: str) -> None:
        with self._counting:
            self._counts[outcome] += 1
        if self._on_lookup is not None:
            self._on_lookup(outcome)

    def _after_fork(self) -> None:
        self._counting = threading.Lock()
        self._flights.after_fork()
        for tier in self._tiers:
            tier.tier.after_fork()


def _lower(
    name: str,
    redis_url: str | SecretStr | None,
    folder: str | os.PathLike[str] | None,
    disk_bytes: int,
    clock: Callable[[], float],
) -> list[Guarded]:
    tiers = []
    if redis_url is not None:
        from contexten.cache.shared import RedisTier

        url = redis_url if isinstance(redis_url, str) else redis_url.get_secret_value()
        tiers.append(Guarded(RedisTier(url, name, clock)))
    if folder is not None:
        from contexten.cache.disk import DiskTier

        tiers.append(Guarded(DiskTier(Path(folder) / f"{name}-1.sqlite", disk_bytes, clock)))
    return tiers


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _checked(ttl: float | None) -> float | None:
    if ttl is not None and not ttl > 0:
        raise UsageError(f"A ttl must be > 0 seconds, got {ttl!r}.")
    return ttl


_ALIVE: weakref.WeakSet[Cache] = weakref.WeakSet()


def _all_after_fork() -> None:
    for cache in list(_ALIVE):
        cache._after_fork()  # noqa: SLF001 - a fork is nobody's business but the cache's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_all_after_fork)
