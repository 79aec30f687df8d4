"""The event bus: who wants to know is told, and a handler that fails harms nobody.

Standard library only and free of other imports of this package: the overlay carries this very file into other packages.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

__all__ = ["Event", "EventBus", "EventType", "Handler", "bus", "drain", "emit", "emit_async", "register", "unregister"]

_log = logging.getLogger(__name__)


class EventType(StrEnum):
    """The events of an agent's life. Any other non-empty string may be used as a type of one's own."""

    AGENT_CREATED = "agent_created"
    TASK_STARTING = "task_starting"
    TASK_CREATED = "task_created"
    TASK_STATUS_CHANGED = "task_status_changed"
    TASK_FINISHED = "task_finished"
    TASK_ERROR = "task_error"
    TASK_TIMEOUT = "task_timeout"
    OVERLAY_APPLIED = "overlay_applied"


class Event(dict[str, Any]):
    """What a handler receives: a dictionary with `event_type`, `timestamp` (seconds since 1970) and the event's own data."""

    @property
    def event_type(self) -> str:
        """The type, as a plain string."""
        return str(self["event_type"])

    @property
    def timestamp(self) -> float:
        """When it happened, in seconds since 1970."""
        return float(self["timestamp"])


Handler = Callable[[Event], Awaitable[object] | object]


class EventBus:
    """Hands events to handlers, in the order in which they registered.

    Emitting takes no lock and costs next to nothing while nobody listens. A handler that raises is logged once and
    stays registered. A handler that returns an awaitable is run to its end: on the running loop, else on a loop of
    the bus's own in a background thread.
    """

    def __init__(self) -> None:
        self._write = threading.Lock()
        self._every: tuple[Handler, ...] = ()
        self._routes: dict[str, tuple[Handler, ...]] = {}
        self._named: dict[str, tuple[Handler, ...]] = {}
        self._reported: set[Any] = set()
        self._tasks: set[Task[None]] = set()
        self._loop: AbstractEventLoop | None = None

    def register(self, event_type: str | None, handler: Handler) -> Handler:
        """Call `handler` with each event of a type, or with every event when the type is None; the handler is returned.

        Raises:
            TypeError: the handler cannot be called.
            ValueError: the type is empty.
        """
        if not callable(handler):
            raise TypeError(f"an event handler must be callable, got {handler!r}")
        if event_type == "":
            raise ValueError("an event type must not be empty; pass None for every event")
        with self._write:
            if event_type is None:
                self._every = (*self._every, handler)
            else:
                key = str(event_type)
                self._named[key] = (*self._named.get(key, ()), handler)
            self._reroute()
        return handler

    def unregister(self, event_type: str | None, handler: Handler) -> bool:
        """Stop calling `handler` for the type it was registered with; False when it was not registered."""
        with self._write:
            before = self._every if event_type is None else self._named.get(str(event_type), ())
            if handler not in before:
                return False
            at = before.index(handler)
            rest = before[:at] + before[at + 1 :]
            if event_type is None:
                self._every = rest
            else:
                self._named[str(event_type)] = rest
            self._reroute()
        return True

    def _reroute(self) -> None:
        self._routes = {key: (*handlers, *self._every) for key, handlers in self._named.items() if handlers}

    def emit(self, event_type: str, /, **data: Any) -> None:
        """Tell the handlers; returns when the synchronous ones are through. Never raises because of a handler."""
        handlers = self._routes.get(event_type, self._every)
        if handlers:
            self.deliver(handlers, event_type, data)

    def deliver(self, handlers: tuple[Handler, ...] | list[Handler], event_type: str, data: dict[str, Any]) -> None:
        """Hand one event to these handlers only, each with a copy of its own."""
        event = _event(event_type, data)
        for handler in handlers:
            try:
                outcome = handler(Event(event))
                if hasattr(outcome, "__await__"):
                    self._start(handler, outcome)
            except Exception as error:  # noqa: BLE001 - handlers are other people's code; the failure is logged
                self._report(handler, error)

    async def emit_async(self, event_type: str, /, **data: Any) -> None:
        """Like `emit`, but asynchronous handlers are awaited, one after the other."""
        event = _event(event_type, data)
        for handler in self._routes.get(event_type, self._every):
            try:
                outcome: Any = handler(Event(event))
                if hasattr(outcome, "__await__"):
                    await outcome
            except Exception as error:  # noqa: BLE001 - handlers are other people's code; the failure is logged
                self._report(handler, error)

    def drain(self, timeout: float = 1.0) -> bool:
        """Wait up to `timeout` seconds for asynchronous handlers in the background; False when some still run."""
        deadline = time.monotonic() + timeout
        while (busy := self._busy()) and time.monotonic() < deadline:
            time.sleep(0.001)
        return not busy

    def _busy(self) -> bool:
        return any(task.get_loop() is self._loop for task in tuple(self._tasks))

    def clear(self) -> None:
        """Forget every handler."""
        with self._write:
            self._every, self._named, self._routes = (), {}, {}
            self._reported.clear()

    def _start(self, handler: Handler, outcome: Any) -> None:
        import asyncio

        async def run() -> None:
            try:
                await outcome
            except Exception as error:  # noqa: BLE001 - handlers are other people's code; the failure is logged
                self._report(handler, error)

        def launch(loop: AbstractEventLoop) -> None:
            task = loop.create_task(run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        def launch_there(loop: AbstractEventLoop, launched: threading.Event) -> None:
            launch(loop)
            launched.set()

        try:
            launch(asyncio.get_running_loop())
        except RuntimeError:
            loop, launched = self._background(), threading.Event()
            loop.call_soon_threadsafe(launch_there, loop, launched)
            launched.wait(1.0)

    def _background(self) -> AbstractEventLoop:
        import asyncio

        with self._write:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="contexten-events", daemon=True).start()
                atexit.register(self.drain)
            return self._loop

    def _report(self, handler: Handler, error: Exception) -> None:
        key = getattr(handler, "__qualname__", None) or type(handler).__qualname__
        if key not in self._reported:
            self._reported.add(key)
            _log.warning("event handler %s failed and is called again: %r (said once)", key, error)

    def after_fork(self) -> None:
        """In a forked child: leave the parent's lock and background thread behind."""
        self._write = threading.Lock()
        self._tasks, self._loop = set(), None


def _event(event_type: str, data: dict[str, Any]) -> Event:
    event = Event(event_type="", timestamp=time.time())
    event.update(data)
    event["event_type"] = str(event_type)
    return event


bus = EventBus()
"""The process's own bus; the functions of this module are its methods."""

register = bus.register
unregister = bus.unregister
emit = bus.emit
emit_async = bus.emit_async
drain = bus.drain

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=bus.after_fork)
