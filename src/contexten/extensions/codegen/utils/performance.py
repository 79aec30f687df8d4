"""`PerformanceMonitor`: how many requests, how they ended and how long they took, in the one kind of registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.autogenlib import monitoring

if TYPE_CHECKING:
    from contexten.telemetry.metrics import MetricsRegistry

_OPERATION = "generate_with_context"


class PerformanceMonitor:
    """Counts and times requests.

    Args:
        registry: where figures go; one of its own by default.
    """

    def __init__(self, registry: MetricsRegistry | None = None) -> None:
        self._monitor = monitoring.PerformanceMonitor(registry)

    async def record_request(self, duration: float, success: bool = True) -> None:
        """Take in one request.

        Args:
            duration: seconds that it took.
            success: whether it came to an end.
        """
        self._monitor.record_request(_OPERATION, duration, success=success)

    def get_metrics(self) -> dict[str, Any]:
        """Everything so far: `counters`, and `timers` with their quantiles."""
        return self._monitor.get_metrics()
