"""How generating goes: the documented names over the one metrics registry and the one set of health checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.telemetry.health import HealthChecks
from contexten.telemetry.metrics import MetricsRegistry

if TYPE_CHECKING:
    from contexten.autogenlib.generator import AutogenClient

_LOOK_SECONDS = 2.0


class PerformanceMonitor:
    """Counts and times requests.

    Args:
        registry: where figures go; one of its own by default.
    """

    def __init__(self, registry: MetricsRegistry | None = None) -> None:
        self.registry = registry or MetricsRegistry()

    def record_request(self, operation: str, seconds: float, *, success: bool = True, cached: bool = False) -> None:
        """Take in one request.

        Args:
            operation: what it was, such as `generate`.
            seconds: how long it took.
            success: whether it came to an end.
            cached: whether nothing had to be asked for.
        """
        labels = {"operation": operation, "outcome": "ok" if success else "error", "cached": str(cached).lower()}
        self.registry.increment("requests_total", labels=labels)
        self.registry.observe("request_seconds", seconds, {"operation": operation})

    def get_metrics(self) -> dict[str, Any]:
        """Everything so far: `counters`, and `timers` with their quantiles."""
        return self.registry.get_metrics()


class HealthChecker:
    """Checks what a generation needs.

    Args:
        client: what asks.
    """

    def __init__(self, client: AutogenClient) -> None:
        self._client = client
        self._checks = HealthChecks()
        self._checks.add("server", self._server)
        self._checks.add("cache", self._cache)
        self._checks.add("quota", self._quota)

    def check_health(self) -> dict[str, Any]:
        """`overall_status`, and `checks` by name: `server`, `cache`, `quota`."""
        return self._checks.run()

    def _server(self) -> dict[str, Any]:
        with self._client.connect(timeout=_LOOK_SECONDS) as server:
            server.health()
            return {"status": "ok", "base_url": server.base_url}

    def _cache(self) -> dict[str, Any]:
        figures = self._client.cache_manager.statistics()
        return {
            "status": "degraded" if figures.broken else "ok",
            "hit_rate": figures.hit_rate,
            "broken": list(figures.broken),
        }

    def _quota(self) -> str:
        settings = self._client.config.settings
        self._client.usage_tracker.check_quota(settings.max_generations, settings.max_cost)
        return "ok"
