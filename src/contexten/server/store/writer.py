"""The one thread that writes: whatever waits while the last write was under way goes into one transaction.

A unit of work that is not alone has a savepoint, so that one that fails takes nothing else with it.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from contexten.errors import StoreUnavailableError
from contexten.server.store.faults import fault
from contexten.server.store.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine

_LARGEST_BATCH = 500
_NO_ITEM = object()

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(slots=True, eq=False)
class _Unit:
    work: Callable[..., Any]
    item: Any = _NO_ITEM
    future: Future[Any] = field(default_factory=Future)

    @property
    def group(self) -> object:
        return self if self.item is _NO_ITEM else self.work

    def do(self, transaction: Transaction) -> Any:
        return self.work(transaction) if self.item is _NO_ITEM else self.work(transaction, [self.item])[0]


class Writer:
    """Takes units of work from any thread, in order.

    Args:
        engine: begins each transaction with the right to write.
        before_commit: called within each transaction that wrote events.
        after_commit: called on the writer's thread with the newest event id, after each commit that wrote events.
    """

    def __init__(
        self, engine: Engine, *, before_commit: Callable[[Transaction], None], after_commit: Callable[[int], None]
    ) -> None:
        self._engine = engine
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._queue: SimpleQueue[_Unit | None] = SimpleQueue()
        self._door = Lock()
        self._closed = False
        self._thread = Thread(target=self._run, name="contexten-store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Have `work` done in a transaction; the future ends after the commit."""
        return self._put(_Unit(work))

    def submit_item(self, work: Callable[[Transaction, list[Item]], Sequence[T | Exception]], item: Item) -> Future[T]:
        """Have `work` done for `item` and for all items of the same work that wait beside it.

        `work` answers each item, in order, with its result or its exception.
        """
        return self._put(_Unit(work, item))

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _put(self, unit: _Unit) -> Future[Any]:
        with self._door:
            if self._closed:
                raise StoreUnavailableError("The store is closed. Nothing was written.")
            self._queue.put(unit)
        return unit.future

    def _run(self) -> None:
        ends = False
        while not ends:
            waiting = list(self._waiting())
            ends = waiting[-1] is None
            units = [unit for unit in waiting if unit is not None and unit.future.set_running_or_notify_cancel()]
            if units:
                self._write(units)

    def _waiting(self) -> Iterator[_Unit | None]:
        """At least one; None, which is the last, ends the thread."""
        yield self._queue.get()
        for _ in range(_LARGEST_BATCH - 1):
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def _write(self, units: list[_Unit]) -> None:
        newest: int | None = None
        try:
            outcomes, newest = self._commit(units)
        except Exception as error:  # noqa: BLE001 - it belongs to the callers who wait, not to this thread
            outcomes = [fault(error) for _ in units]
        for unit, outcome in zip(units, outcomes, strict=True):
            _answer(unit.future, outcome)
        if newest is not None:
            self._after_commit(newest)

    def _commit(self, units: list[_Unit]) -> tuple[list[Any], int | None]:
        with self._engine.begin() as connection:
            transaction = Transaction(connection)
            outcomes = [units[0].do(transaction)] if len(units) == 1 else _do_all(transaction, units)
            if transaction.newest_event is not None:
                self._before_commit(transaction)
        return outcomes, transaction.newest_event


def _answer(future: Future[Any], outcome: Any) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _do_all(transaction: Transaction, units: list[_Unit]) -> list[Any]:
    outcomes: list[Any] = []
    for _, group in groupby(units, key=lambda unit: unit.group):
        outcomes += _do_group(transaction, list(group))
    return outcomes


def _do_group(transaction: Transaction, units: list[_Unit]) -> Sequence[Any]:
    if len(units) > 1:
        try:
            with transaction.savepoint():
                return list(units[0].work(transaction, [unit.item for unit in units]))
        except Exception as error:  # noqa: BLE001 - one item's fault must not be the others': each is tried by itself
            _raise_if_unavailable(error)
    return [_do_one(transaction, unit) for unit in units]


def _do_one(transaction: Transaction, unit: _Unit) -> Any:
    try:
        with transaction.savepoint():
            return unit.do(transaction)
    except Exception as error:  # noqa: BLE001 - it is the answer to this unit; the others go on
        _raise_if_unavailable(error)
        return fault(error)


def _raise_if_unavailable(error: Exception) -> None:
    """A full disk or a lost connection has ended the whole transaction: nobody in it may be told that it went well."""
    unavailable = fault(error)
    if isinstance(unavailable, StoreUnavailableError):
        raise unavailable from error
