"""One computation per key at a time in a process: whoever asks meanwhile, thread or task, waits for that one.

A computation that is interrupted or cancelled is taken over by one who waits. One that fails is tried once more by one who
waits; a second failure is everybody's.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


class _AbandonedError(Exception):
    """The one who computed has gone away."""


@dataclass(eq=False)
class _Flight(Generic[T]):
    loop: asyncio.AbstractEventLoop | None
    """The event loop in which the computation is a task; None when a thread does it itself."""
    thread: int = field(default_factory=threading.get_ident)
    done: Future[T] = field(default_factory=Future)
    waiting: int = 1
    task: asyncio.Task[T] | None = None
    successor: _Flight[T] | None = None
    """The one computation for all who waited for this one, which came to nothing."""

    def __post_init__(self) -> None:
        self.done.set_running_or_notify_cancel()  # so that no waiter who is cancelled cancels it for all

    def own(self, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Whether to wait for it would be to wait for oneself."""
        return self.thread == threading.get_ident() and (loop is None or loop is not self.loop)

    def land(self, error: BaseException | None, value: Any = None) -> None:
        if error is None:
            self.done.set_result(value)
        else:
            self.done.set_exception(error if isinstance(error, Exception) else _AbandonedError())


class SingleFlight(Generic[T]):
    """Computations under way, by key."""

    def __init__(self) -> None:
        self.shared = 0
        """How often somebody was given what another computed."""
        self.after_fork()

    def do(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result of `compute`, or of the same key's computation that is under way."""
        for attempt in _Attempts[T]():
            flight, leads = self._join(key, None, attempt.last)
            if flight is None:
                return compute()
            try:
                return self._lead(key, flight, compute) if leads else self._given(flight.done.result())
            except Exception as error:
                if leads or not attempt.passes(flight, error):
                    raise
            finally:
                self._leave(key, flight)
        raise AssertionError  # attempts end by returning or raising

    async def ado(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """The same for asyncio. The computation goes on while anybody waits, whoever began it."""
        loop = asyncio.get_running_loop()
        for attempt in _Attempts[T]():
            flight, leads = self._join(key, loop, attempt.last)
            if flight is None:
                return await compute()
            if leads:
                flight.task = loop.create_task(_awaited(compute))
                flight.task.add_done_callback(partial(self._landed, key, flight))
            try:
                value = await asyncio.wrap_future(flight.done)
                return value if leads else self._given(value)
            except Exception as error:
                if (leads and not isinstance(error, _AbandonedError)) or not attempt.passes(flight, error):
                    raise
            finally:
                self._leave(key, flight)
        raise AssertionError  # attempts end by returning or raising

    def after_fork(self) -> None:
        """In a forked child: nobody computes anything any more."""
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}

    def _join(
        self, key: Hashable, loop: asyncio.AbstractEventLoop | None, last: _Flight[T] | None
    ) -> tuple[_Flight[T] | None, bool]:
        """The flight of a key and whether the caller is the one to compute; no flight when it would wait for itself."""
        with self._lock:
            flight = (last.successor if last else None) or self._flights.get(key)
            leads = flight is None
            if flight is None:
                self._flights[key] = flight = _Flight(loop)
            if last is not None:
                last.successor = flight
            if leads:
                return flight, True
            if not flight.done.done() and flight.own(loop):
                return None, False
            flight.waiting += 1
            return flight, False

    def _lead(self, key: Hashable, flight: _Flight[T], compute: Callable[[], T]) -> T:
        try:
            value = compute()
        except BaseException as error:
            self._forget(key, flight)
            flight.land(error)
            raise
        self._forget(key, flight)
        flight.land(None, value)
        return value

    def _landed(self, key: Hashable, flight: _Flight[T], task: asyncio.Task[T]) -> None:
        self._forget(key, flight)
        if task.cancelled():
            flight.land(_AbandonedError())
        elif (error := task.exception()) is not None:
            flight.land(error)
        else:
            flight.land(None, task.result())

    def _given(self, value: T) -> T:
        with self._lock:
            self.shared += 1
        return value

    def _forget(self, key: Hashable, flight: _Flight[T]) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _leave(self, key: Hashable, flight: _Flight[T]) -> None:
        """Stop a task that nobody waits for any more."""
        with self._lock:
            flight.waiting -= 1
            alone = flight.waiting == 0 and flight.task is not None and not flight.done.done()
        if alone and flight.task is not None:
            self._forget(key, flight)
            with suppress(RuntimeError):  # its event loop is closed, and the task with it
                flight.task.get_loop().call_soon_threadsafe(flight.task.cancel)


class _Attempts(Generic[T]):
    """How often one caller waits for others: until the second failure that was not its own."""

    def __init__(self) -> None:
        self._failed = False
        self.last: _Flight[T] | None = None

    def __iter__(self) -> _Attempts[T]:
        return self

    def __next__(self) -> _Attempts[T]:
        return self

    def passes(self, flight: _Flight[T], error: Exception) -> bool:
        """Whether to go on after what became of another's computation."""
        self.last = flight
        if isinstance(error, _AbandonedError):
            return True
        passing, self._failed = not self._failed, True
        return passing


async def _awaited(compute: Callable[[], Awaitable[T]]) -> T:
    return await compute()
