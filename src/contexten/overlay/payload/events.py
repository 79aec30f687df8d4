"""Stands for `telemetry/events.py`, whose text the overlay installs under this name."""

from __future__ import annotations

from contexten.telemetry.events import Event, EventType, Handler, bus, drain, emit, emit_async, register, unregister

__all__ = ["Event", "EventType", "Handler", "bus", "drain", "emit", "emit_async", "register", "unregister"]
