"""Stands for `telemetry/health.py`, whose text the overlay installs under this name."""

from __future__ import annotations

from contexten.telemetry.health import (
    add_health_check,
    checks,
    get_system_info,
    remove_health_check,
    run_health_checks,
)

__all__ = ["add_health_check", "checks", "get_system_info", "remove_health_check", "run_health_checks"]
