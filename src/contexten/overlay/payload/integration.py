"""The overlay's door: instruments the classes of `codegen.agents.agent` and lets programs listen.

Runs inside other people's programs with the standard library alone. `instrument` is called by the block at the end of
`codegen/agents/agent.py`, or by the import hook of `contexten overlay run`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import _guard, _hooks, events, monitoring

if TYPE_CHECKING:
    from .events import Handler

__all__ = ["get_metrics", "instrument", "register_event_handler", "unregister_event_handler"]

PORT = "CONTEXTEN_OVERLAY_METRICS_PORT"

_applied: dict[str, Any] = {}


def register_event_handler(event_type: str | None, handler: Handler) -> Handler:
    """Call `handler` with a dictionary for each event of a type, or for every event when the type is None.

    The dictionary has `event_type`, `timestamp` (seconds since 1970) and the event's data. A handler for
    `overlay_applied`, which has happened by the time a program can register, is called at once.

    Raises:
        TypeError: the handler cannot be called.
        ValueError: the type is empty.
    """
    events.register(event_type, handler)
    if event_type == events.EventType.OVERLAY_APPLIED and _applied:
        events.bus.deliver((handler,), event_type, _applied)
    return handler


def unregister_event_handler(event_type: str | None, handler: Handler) -> bool:
    """Stop calling a handler; False when it was not registered for that type."""
    return events.unregister(event_type, handler)


def get_metrics() -> dict[str, Any]:
    """The process's metrics: `uptime_seconds`, `counters`, `gauges`, `timers`."""
    return _hooks.get_metrics()


def instrument(agent_class: type[Any], task_class: type[Any]) -> None:
    """Patch the methods of the two classes in place; a second call changes nothing. Never raises."""
    _guard.guarded(_instrument, agent_class, task_class)


def _instrument(agent_class: type[Any], task_class: type[Any]) -> None:
    if not _hooks.patch(agent_class, task_class):
        return
    _applied.update(agent=agent_class.__module__, pid=os.getpid())
    monitoring.add_health_check("overlay", _guard.health)
    events.emit(events.EventType.OVERLAY_APPLIED, **_applied)
    if port := os.environ.get(PORT):
        from ._serve import serve

        serve(int(port))
