"""What clients count about their requests, in the process's own metrics: repetitions, and where each host's breaker stands.

A client without a policy of its own counts by itself; give these as `on_retry` and `on_change` to have a policy counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.resilience import CircuitState
from contexten.telemetry import metrics, names

if TYPE_CHECKING:
    from contexten.resilience import RetryNotice

_SHOWN = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


def count_retry(notice: RetryNotice) -> None:
    """A request will be sent again."""
    metrics.increment(names.RETRIES, labels={"host": notice.key})


def show_breaker(host: str, _old: CircuitState, new: CircuitState) -> None:
    """A breaker has changed its state: 0 closed, 1 half-open, 2 open."""
    metrics.set_gauge(names.BREAKER_STATE, _SHOWN[new], {"host": host})
