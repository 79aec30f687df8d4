"""One policy around one call: retry, circuit breaker, rate limit and deadline. It knows nothing about what is called."""

from contexten.resilience.breaker import Breaker, CircuitState
from contexten.resilience.clock import Clock, SystemClock
from contexten.resilience.limit import RateLimit
from contexten.resilience.policy import Policy, RetryNotice
from contexten.resilience.retry import Judge, Retry, Verdict, judge_api_error, retry_after

__all__ = [
    "Breaker",
    "CircuitState",
    "Clock",
    "Judge",
    "Policy",
    "RateLimit",
    "Retry",
    "RetryNotice",
    "SystemClock",
    "Verdict",
    "judge_api_error",
    "retry_after",
]
