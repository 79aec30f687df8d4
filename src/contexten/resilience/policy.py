"""The one policy around one call: rate limit, circuit breaker, retry and deadline, for threads and for tasks.

Nothing else in Contexten repeats a call. Each attempt takes its place in the rate limit, then asks the breaker, then
runs; what it raises is judged once, and the judgement serves the breaker and the retry alike.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

from contexten.errors import CircuitOpenError, RequestTimeoutError
from contexten.resilience.clock import SYSTEM_CLOCK, Clock
from contexten.resilience.retry import Judge, Retry, Verdict, judge_api_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contexten.resilience.breaker import Breaker, Permit
    from contexten.resilience.limit import RateLimit

T = TypeVar("T")
_log = logging.getLogger(__name__)
_USUAL = Retry()


@dataclass(frozen=True, slots=True)
class RetryNotice:
    """What a retry hook is told."""

    key: str
    failures: int
    """How many attempts of this call have failed, from 1."""
    wait: float
    """Seconds until the next attempt."""
    error: Exception


class Policy:
    """How calls are made. One object serves any number of calls, threads and event loops.

    Args:
        retry: how often and how fast calls are repeated.
        breaker: refuses calls to what is down; None calls always.
        limit: keeps calls under a rate; None knows no rate.
        on_retry: told before each wait; what it raises is logged.
        clock: tells the time and sleeps.
        chance: a number in [0, 1) for the jitter.
    """

    def __init__(  # noqa: PLR0913 - the parts of a policy, each optional and by name
        self,
        *,
        retry: Retry = _USUAL,
        breaker: Breaker | None = None,
        limit: RateLimit | None = None,
        on_retry: Callable[[RetryNotice], None] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.retry, self.breaker, self.limit, self.clock = retry, breaker, limit, clock
        self._on_retry, self._chance = on_retry, chance

    def call(
        self,
        attempt: Callable[[float | None], T],
        *,
        key: str = "",
        judge: Judge = judge_api_error,
        deadline: float | None = None,
        retry: Retry | None = None,
    ) -> T:
        """Make a call.

        Args:
            attempt: does it once; gets the seconds left, None when there is no end.
            key: what the breaker keeps apart, such as a host.
            judge: says of an error whether to try again.
            deadline: seconds that everything may take, waits included.
            retry: how often and how fast, when this call is to differ from the others.

        Raises:
            CircuitOpenError: the breaker refused the first attempt.
            RequestTimeoutError: the deadline passed before an attempt could be made.
        """
        attempts = self.attempts(key=key, judge=judge, deadline=deadline, retry=retry)
        while True:
            if self.limit is not None:
                self.limit.acquire(attempts.left())
            left = attempts.left()
            try:
                with attempts.enter():
                    return attempt(left)
            except Exception as error:  # noqa: BLE001 - raised again unless the judge wants another attempt
                wait = attempts.wait_after(error)
            self.clock.sleep(wait)

    async def acall(
        self,
        attempt: Callable[[float | None], Awaitable[T]],
        *,
        key: str = "",
        judge: Judge = judge_api_error,
        deadline: float | None = None,
        retry: Retry | None = None,
    ) -> T:
        """Make a call, as `call` does, with an attempt that is awaited."""
        attempts = self.attempts(key=key, judge=judge, deadline=deadline, retry=retry)
        while True:
            if self.limit is not None:
                await self.limit.aacquire(attempts.left())
            left = attempts.left()
            try:
                with attempts.enter():
                    return await attempt(left)
            except Exception as error:  # noqa: BLE001 - raised again unless the judge wants another attempt
                wait = attempts.wait_after(error)
            await self.clock.asleep(wait)

    def attempts(
        self,
        *,
        key: str = "",
        judge: Judge = judge_api_error,
        deadline: float | None = None,
        retry: Retry | None = None,
    ) -> Attempts:
        """The state of one call, for what is not a single call: a stream that is opened again after each break."""
        return Attempts(self, key, judge, deadline, retry or self.retry)

    def notify(self, notice: RetryNotice) -> None:
        """Tell the retry hook and the log."""
        _log.debug("%s: %s; attempt %d in %.2f s", notice.key, notice.error, notice.failures + 1, notice.wait)
        if self._on_retry is None:
            return
        try:
            self._on_retry(notice)
        except Exception:  # noqa: BLE001 - an observer must not harm what it observes
            _log.exception("The policy's on_retry hook failed for %s", notice.key)

    def chance(self) -> float:
        """The random share for the next wait."""
        return self._chance()


class Attempts:
    """How often one call has failed, and until when it may be tried."""

    __slots__ = ("_broken", "_ends", "_failures", "_judge", "_key", "_last", "_permit", "_policy", "_retry", "_verdict")

    def __init__(self, policy: Policy, key: str, judge: Judge, deadline: float | None, retry: Retry) -> None:
        self._policy, self._key, self._judge, self._retry = policy, key, judge, retry
        self._ends = None if deadline is None else policy.clock.monotonic() + deadline
        self._failures = self._broken = 0
        self._last: Exception | None = None
        self._permit: Permit | None = None
        self._verdict: Verdict | None = None

    def left(self) -> float | None:
        """Seconds left, None when there is no end.

        Raises:
            RequestTimeoutError: there are none.
        """
        if self._ends is None:
            return None
        left = self._ends - self._policy.clock.monotonic()
        if left <= 0:
            raise RequestTimeoutError("The time allowed for the call is over.") from self._last
        return left

    def enter(self) -> Attempts:
        """Ask the breaker; as a context manager, one attempt.

        Raises:
            CircuitOpenError: the breaker refuses.
        """
        breaker = self._policy.breaker
        self._permit = None if breaker is None else breaker.enter(self._key)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            self._verdict = self._judge(error)
        if self._permit is not None:
            self._permit.settle(self._healthy(error))

    def succeeded(self) -> None:
        """Forget the failures so far: something went well."""
        self._failures = self._broken = 0

    def wait_after(self, error: Exception) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            Exception: `error` itself, or the last one that the server gave, when there is no next attempt.
        """
        verdict, self._verdict = self._verdict or self._judge(error), None
        if self._retry.waits_for_breaker and isinstance(error, CircuitOpenError):
            verdict = replace(verdict, retry=True)
        self._failures += 1
        self._broken += verdict.broken
        of_this_kind = self._broken if verdict.broken else self._failures - self._broken
        asked = verdict.wait or 0.0
        wait = max(asked, self._retry.wait(self._failures, self._policy.chance))
        worth = verdict.retry and asked <= self._retry.retry_after_cap
        if not worth or of_this_kind > self._retry.retries or not self._fits(wait):
            self._give_up(error)
        self._last = error
        self._policy.notify(RetryNotice(self._key, self._failures, wait, error))
        return wait

    def _fits(self, wait: float) -> bool:
        return self._ends is None or self._policy.clock.monotonic() + wait < self._ends

    def _give_up(self, error: Exception) -> None:
        if isinstance(error, CircuitOpenError) and self._last is not None:
            raise self._last
        raise error

    def _healthy(self, error: BaseException | None) -> bool | None:
        if error is None:
            return True
        return None if self._verdict is None or not isinstance(error, Exception) else self._verdict.healthy
