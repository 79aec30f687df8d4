"""Answers that are used again for the same request: the documented name over the one cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contexten.autogenlib.request import GeneratedCode
from contexten.cache import Cache
from contexten.telemetry import metrics, names

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr

    from contexten.cache import CacheStatistics

Parts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """Where answers are kept."""

    memory_cache_size: int = 16 * 2**20
    """Bytes in this process's memory."""
    redis_url: SecretStr | str | None = None
    cache_dir: str | os.PathLike[str] | None = None
    """Folder of the file; none without."""
    disk_cache_size: int = 128 * 2**20
    """Bytes in the file."""
    ttl: float | None = None
    """Seconds for which an answer is good."""


class CacheManager:
    """Generated code by key: memory, Redis where an address is given, a file. A hit fills the tiers above."""

    def __init__(self, config: CacheConfig | None = None) -> None:
        chosen = config or CacheConfig()
        self.cache = Cache(
            "autogen",
            memory_bytes=chosen.memory_cache_size,
            redis_url=chosen.redis_url,
            folder=chosen.cache_dir,
            disk_bytes=chosen.disk_cache_size,
            ttl=chosen.ttl,
            on_lookup=_count,
        )

    async def get(self, key: str) -> GeneratedCode | None:
        """The code of a key."""
        return _whole(await self.cache.aget(key))

    async def set(self, key: str, code: GeneratedCode, ttl: float | None = None) -> None:
        """Keep code."""
        await self.cache.aput(key, code.as_data(), ttl)

    async def get_or_generate(self, key: str, generate: Callable[[], Awaitable[GeneratedCode]]) -> GeneratedCode:
        """The code of a key, generated when there is none; once, however many ask for it at a time."""

        async def made() -> Parts:
            return (await generate()).as_data()

        return _expected(await self.cache.aget_or_compute(key, made))

    def get_or_generate_now(self, key: str, generate: Callable[[], GeneratedCode]) -> GeneratedCode:
        """The same for a caller that waits for it."""
        return _expected(self.cache.get_or_compute(key, lambda: generate().as_data()))

    async def clear(self) -> None:
        """Forget everything."""
        await self.cache.aclear()

    def statistics(self) -> CacheStatistics:
        """Figures."""
        return self.cache.statistics()

    def close(self) -> None:
        """Give back connections and the file."""
        self.cache.close()


def _whole(parts: Parts | None) -> GeneratedCode | None:
    return None if parts is None else _expected(parts)


def _expected(parts: Parts) -> GeneratedCode:
    return GeneratedCode(parts["code"], parts["metadata"], parts["usage_info"])


def _count(outcome: str) -> None:
    metrics.increment(names.CACHE_REQUESTS, labels={"cache": "autogen", "outcome": outcome})
