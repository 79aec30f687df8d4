"""A rate limit of our own, kept before a server has to refuse: in memory, in a SQLite file or in Redis.

The counting is pyrate-limiter's; the waiting is the policy's, so that it is cancellable and ends with the deadline.
"""

from __future__ import annotations

import math
import os
import threading
from functools import cache, partial
from typing import TYPE_CHECKING
from weakref import WeakSet

from contexten.errors import MissingExtraError, RequestTimeoutError, StoreUnavailableError, UsageError
from contexten.resilience.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyrate_limiter import AbstractBucket, Rate

_ROUNDING = 1000
"""Milliseconds that a wait may be longer than the longest rate."""

_SHORTEST = 0.001
"""Seconds: what is counted has a time in milliseconds."""
_inherited: list[object] = []
"""Buckets of a parent process: kept, because closing them would disturb the parent."""

Rates = tuple[tuple[int, float], ...]
"""Pairs of a number of calls and the seconds in which so many may be made."""


class RateLimit:
    """So many calls in so many seconds, shared by all that use this object, file or Redis key.

    Make one with `memory`, `sqlite` or `redis`. Without rates, the documented limit of the Codegen API for reads.
    """

    def __init__(
        self,
        make: Callable[[], AbstractBucket],
        now: Callable[[], float],
        *,
        local: bool,
        clock: Clock = SYSTEM_CLOCK,
        failures: tuple[type[Exception], ...] = (),
    ) -> None:
        self._make, self._now, self._local, self._clock = make, now, local, clock
        self._failures = failures
        self._bucket = make()
        self._longest = max(rate.interval for rate in self._bucket.rates)
        self._lock, self._pid = threading.RLock(), os.getpid()

    @classmethod
    def memory(cls, *rates: tuple[int, float], clock: Clock = SYSTEM_CLOCK) -> RateLimit:
        """Kept by this process."""
        from pyrate_limiter import InMemoryBucket

        return cls(partial(InMemoryBucket, _rates(rates)), clock.monotonic, local=True, clock=clock)

    @classmethod
    def sqlite(cls, path: str | Path, *rates: tuple[int, float], clock: Clock = SYSTEM_CLOCK) -> RateLimit:
        """Shared by the processes of one machine through a file."""
        import sqlite3

        from pyrate_limiter import SQLiteBucket

        opened = partial(SQLiteBucket.init_from_file, table="calls", db_path=str(path), use_file_lock=True)
        try:
            made = cls(partial(opened, _rates(rates)), clock.wall, local=False, clock=clock, failures=(sqlite3.Error,))
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailableError(f"The rate limit's file {path} cannot be used: {error}") from error
        _files.add(made)
        _mind_forks()
        return made

    @classmethod
    def redis(cls, url: str, *rates: tuple[int, float], name: str, clock: Clock = SYSTEM_CLOCK) -> RateLimit:
        """Shared by all machines that use the same Redis and name."""
        try:
            from redis import Redis, RedisError
        except ImportError as error:
            raise MissingExtraError("A rate limit in Redis", "redis") from error
        from contexten.resilience.redis_bucket import SharedBucket

        try:
            make = partial(SharedBucket, _rates(rates), Redis.from_url(url), name)
            return cls(make, clock.wall, local=False, clock=clock, failures=(RedisError,))
        except RedisError as error:
            raise StoreUnavailableError(f"The rate limit's Redis is out of reach: {error}") from error

    def acquire(self, within: float | None = None) -> None:
        """Take one call, waiting for it if need be.

        Raises:
            RequestTimeoutError: it would take longer than `within` seconds.
        """
        while (wait := self._take()) is not None:
            within = _left(within, wait)
            self._clock.sleep(wait)

    async def aacquire(self, within: float | None = None) -> None:
        """Take one call, as `acquire` does."""
        import asyncio

        while (wait := self._take() if self._local else await asyncio.to_thread(self._take)) is not None:
            within = _left(within, wait)
            await self._clock.asleep(wait)

    def close(self) -> None:
        """Give back the file or the connection."""
        with self._lock:
            self._bucket.close()

    def _take(self) -> float | None:
        from pyrate_limiter import Decision, RateItem

        if self._pid != os.getpid():
            self._begin_in_a_child()
        now = int(self._now() * 1000)
        with self._lock:
            try:
                self._bucket.leak(now)
                decision = self._bucket.put_decision(RateItem("call", now))
            except self._failures as error:
                raise StoreUnavailableError(f"The rate limit cannot be counted: {error}") from error
        if not isinstance(decision, Decision):
            raise TypeError("a synchronous bucket decides at once")
        if decision.allowed:
            return None
        wait = max(1, decision.retry_after_ms or 0)
        if wait > self._longest + _ROUNDING:
            return self._start_anew()
        return wait / 1000

    def _begin_in_a_child(self) -> None:
        """After a fork: leave the parent's lock, file and connection to the parent."""
        _inherited.append(self._bucket)
        self._lock, self._pid, self._bucket = threading.RLock(), os.getpid(), self._make()

    def _start_anew(self) -> float:
        """Forget what was counted in the future: a clock was set back, and nobody should wait until it is there."""
        with self._lock:
            self._bucket.flush()
        return 0.001


def _left(within: float | None, wait: float) -> float | None:
    if within is None:
        return None
    if wait > within:
        raise RequestTimeoutError(f"The rate limit allows the next call in {wait:.1f} s, after the time allowed.")
    return within - wait


def _rates(rates: Rates) -> list[Rate]:
    from pyrate_limiter import Rate

    for count, seconds in rates:
        if count < 1 or not _SHORTEST <= seconds < math.inf:
            raise UsageError(
                f"a rate must be a number of calls >= 1 and of seconds >= {_SHORTEST}, got ({count}, {seconds})"
            )
    return [Rate(count, int(seconds * 1000)) for count, seconds in rates or ((60, 30.0),)]


_files: WeakSet[RateLimit] = WeakSet()
_held = threading.local()
"""The locks that a thread which forks has taken."""


@cache
def _mind_forks() -> None:
    """Let no thread be inside SQLite when the process forks: its mutexes would stay locked in the child for good."""
    if hasattr(os, "register_at_fork"):
        import filelock  # noqa: F401 (what is registered later is called earlier: the files' locks must still be free to go)

        os.register_at_fork(before=_stand_still, after_in_parent=_go_on, after_in_child=_go_on)


def _stand_still() -> None:
    _held.locks = [limit._lock for limit in sorted(_files, key=id)]  # noqa: SLF001 (of this module)
    for lock in _held.locks:
        lock.acquire()


def _go_on() -> None:
    for lock in _held.locks:
        lock.release()
