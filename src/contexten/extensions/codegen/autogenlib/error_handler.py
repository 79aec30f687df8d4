"""`EnhancedErrorHandler`: the one policy around operations of one's own."""

from __future__ import annotations

import logging
import random
import re
from typing import TYPE_CHECKING, Any, TypeVar

from contexten.errors import ApiError, CircuitOpenError, ContextenError, StatusError
from contexten.extensions.codegen.config import CodegenAutogenConfig
from contexten.resilience import Policy, Retry, SystemClock, Verdict, judge_api_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contexten.resilience import Clock

T = TypeVar("T")

USUAL_WAIT = 60.0
"""Seconds to wait after a rate limit that does not say how long."""
LONGEST_WAIT = 600.0
"""Seconds that a rate limit may ask for."""
_JITTER = 10.0
_ASKED = re.compile(r"retry[\s_-]*after\D{0,3}(\d+(?:\.\d+)?)", re.IGNORECASE)
_LOG = logging.getLogger("contexten.extensions.codegen")


class EnhancedErrorHandler:
    """Repeats operations that may pass the next time. Requests of our clients are repeated by the clients themselves.

    Args:
        config: says how often.
        clock: tells the time and sleeps.
    """

    def __init__(self, config: CodegenAutogenConfig | None = None, clock: Clock | None = None) -> None:
        self.config = config or CodegenAutogenConfig()
        self._clock = clock or SystemClock()

    async def handle_with_retry(
        self,
        operation: Callable[..., Awaitable[T]],
        *args: Any,
        max_retries: int | None = None,
        backoff_factor: float = 2.0,
        **kwargs: Any,
    ) -> T:
        """Do something, and again when it fails.

        Args:
            operation: what to do; awaited with the other arguments.
            args: for it.
            max_retries: repetitions, 0 for none; as the configuration says when absent.
            backoff_factor: how many times as long each further wait is, the first being a second or less.
            kwargs: for it.

        Raises:
            Exception: what the operation raised the last time; at once what another time would not change.
        """
        retry = Retry(
            retries=self.config.max_retries if max_retries is None else max_retries,
            initial=1.0,
            factor=backoff_factor,
            maximum=USUAL_WAIT,
        )
        policy = Policy(retry=retry, clock=self._clock)
        name = getattr(operation, "__qualname__", type(operation).__name__)
        return await policy.acall(lambda _left: operation(*args, **kwargs), key=name, judge=_judged)

    async def handle_rate_limit_error(self, error: Exception) -> None:
        """Wait for as long as an error asks to, or about a minute when it does not say.

        Raises:
            Exception: the error itself, when it asks for more than ten minutes.
        """
        asked = _wait_of(error)
        wait = USUAL_WAIT + random.random() * _JITTER if asked is None else asked  # noqa: S311 - spreads calls, guards nothing
        if wait > LONGEST_WAIT:
            raise error
        _LOG.info("The rate is limited; going on in %.1f s.", wait)
        await self._clock.asleep(wait)


def _judged(error: Exception) -> Verdict:
    """Errors of a server are judged as everywhere; others of ours tell what is wrong, which time does not mend."""
    if isinstance(error, ApiError):
        return judge_api_error(error)
    return Verdict(retry=not isinstance(error, ContextenError))


def _wait_of(error: Exception) -> float | None:
    if isinstance(error, StatusError | CircuitOpenError) and error.retry_after is not None:
        return max(0.0, error.retry_after)
    found = _ASKED.search(str(error))
    return float(found[1]) if found else None
