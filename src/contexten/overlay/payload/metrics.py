"""Stands for `telemetry/metrics.py`, whose text the overlay installs under this name."""

from __future__ import annotations

from contexten.telemetry.metrics import (
    end_timer,
    get_metrics,
    increment,
    observe,
    registry,
    render_text,
    reset,
    set_gauge,
    start_timer,
    timer,
)

__all__ = [
    "end_timer",
    "get_metrics",
    "increment",
    "observe",
    "registry",
    "render_text",
    "reset",
    "set_gauge",
    "start_timer",
    "timer",
]
