"""When a failed call is made again, and after how long.

Source of the rules: what the official SDKs of the large model providers do, and RFC 9110, section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from contexten.errors import ApiError, CircuitOpenError, ConnectError, RequestTimeoutError, StatusError, UsageError

_SERVER_ERRORS = 500
_STEEPEST = 10.0
_PASSING = frozenset({408, 409, 429})


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how fast a call is repeated."""

    retries: int = 2
    """Attempts after the first; counted apart for connections that broke and for what a server answered."""
    initial: float = 0.5
    """Seconds before the first repetition."""
    factor: float = 2.0
    """How many times as long each further one waits, 1 to 10."""
    maximum: float = 8.0
    """Longest wait in seconds that is chosen here; one that the server asks for may be longer."""
    jitter: float = 0.25
    """Largest share that is taken off a wait at random."""
    retry_after_cap: float = 60.0
    """Longest wait in seconds that a server may ask for; past it the error is raised at once and carries the delay."""
    waits_for_breaker: bool = False
    """Whether a call that the breaker refuses waits for its turn, as often as it may be repeated, or fails at once."""

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise UsageError(f"retries must be >= 0, got {self.retries}")
        if not 0 <= self.jitter <= 1:
            raise UsageError(f"jitter must be between 0 and 1, got {self.jitter}")
        if not 1 <= self.factor <= _STEEPEST:
            raise UsageError(f"factor must be between 1 and {_STEEPEST:g}, got {self.factor}")
        if self.initial < 0 or self.maximum < 0:
            raise UsageError(f"waits must be >= 0, got initial={self.initial}, maximum={self.maximum}")

    def wait(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after the given number of failures (from 1)."""
        exponential = self.initial * self.factor ** min(failures - 1, 64)
        return min(self.maximum, exponential) * (1 - self.jitter * chance())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an error says about trying again and about the server."""

    retry: bool
    wait: float | None = None
    """Seconds that the server asks to wait, when it does."""
    healthy: bool | None = None
    """Whether the server works in spite of the error; None when the error says nothing about it."""
    broken: bool = False
    """Whether the connection broke: such failures have repetitions of their own."""


Judge = Callable[[Exception], Verdict]


def judge_api_error(error: Exception) -> Verdict:
    """The verdict on an error of a request that may safely be made twice."""
    if isinstance(error, CircuitOpenError):
        return Verdict(retry=False, wait=error.retry_after)
    if isinstance(error, StatusError):
        return Verdict(_may_pass(error), error.retry_after, healthy=error.status_code < _SERVER_ERRORS)
    if isinstance(error, ConnectError | RequestTimeoutError):
        return Verdict(retry=True, healthy=False, broken=isinstance(error, ConnectError))
    return Verdict(retry=False, healthy=True if isinstance(error, ApiError) else None)


def _may_pass(error: StatusError) -> bool:
    if error.should_retry is not None:
        return error.should_retry
    return error.status_code in _PASSING or error.status_code >= _SERVER_ERRORS


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a response asks to wait: from `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date.

    Args:
        headers: of the response; names in lower case or a mapping that ignores case.
        now: seconds since the epoch, used with a date when the response does not tell its own time.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    until = _date(value)
    if until is None:
        return None
    told = _date(headers.get("date"))
    return max(0.0, until - (now if told is None else told))


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _date(value: str | None) -> float | None:
    try:
        return None if value is None else parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
