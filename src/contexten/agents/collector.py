"""Where an agent's figures go: the process's metrics registry, or wherever a subclass sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.telemetry import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping


class MetricsCollector:
    """Receives an agent's figures. Subclass it to send them elsewhere; nothing of it needs `super().__init__()`."""

    def record_counter(self, name: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None:
        """Something happened `value` times more."""
        metrics.increment(name, value, tags)

    def record_gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Something stands at `value` now."""
        metrics.set_gauge(name, value, tags)

    def record_histogram(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """Something took or measured `value`, in seconds unless the name says otherwise."""
        metrics.observe(name, value, tags)
