"""`IntegratedCacheManager`: results by prompt and context, in the one cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.extensions.codegen.autogenlib.context_injector import ContextInjector
from contexten.extensions.codegen.config import CodegenAutogenConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.autogenlib import AutogenClient
    from contexten.cache import Cache

Result = dict[str, Any]


class IntegratedCacheManager:
    """Results that are used again: in memory, in Redis where an address is set, in a file.

    Args:
        config: how long they are good, and for whom they are.
        client: knows what else a result depends on; one of the configuration when absent.
    """

    def __init__(self, config: CodegenAutogenConfig | None = None, client: AutogenClient | None = None) -> None:
        self.config = config or CodegenAutogenConfig()
        self._client = client or self.config.client()
        self._injector = ContextInjector(self.config, self._client)

    async def initialize(self) -> None:
        """Get ready; there is nothing to do, and nothing to clean up later."""

    async def get_cached_result(self, prompt: str, context: Mapping[str, Any] | None = None) -> Result | None:
        """The result that is kept for a prompt and a context; None without one."""
        found: Result | None = await self._cache.aget(self.key_of(prompt, context))
        return found

    async def cache_result(self, prompt: str, context: Mapping[str, Any] | None, result: Result) -> None:
        """Keep a result.

        Raises:
            UsageError: it is no plain data.
        """
        await self._cache.aput(self.key_of(prompt, context), result)

    async def get_cache_stats(self) -> dict[str, Any]:
        """`cache_size` in entries, `hit_rate` from 0 to 1, `total_hits`, `total_misses`, `total_evictions` since the start."""
        figures = self._cache.statistics()
        return {
            "cache_size": max(figures.entries.values(), default=0),
            "hit_rate": figures.hit_rate,
            "total_hits": sum(figures.hits.values()) + figures.shared,
            "total_misses": figures.misses,
            "total_evictions": sum(figures.evictions.values()),
        }

    def key_of(self, prompt: str, context: Mapping[str, Any] | None = None) -> str:
        """Under what a result is kept: the request, who asks, of whom, and what the gate would let in."""
        return f"result:{self._client.key_of(self._injector.request_for(prompt, context))}"

    @property
    def _cache(self) -> Cache:
        return self._client.cache_manager.cache
