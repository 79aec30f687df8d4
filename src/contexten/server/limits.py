"""The request limits that the Codegen documentation states, when the settings ask for them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cachetools import LRUCache
from pyrate_limiter import InMemoryBucket, Rate, RateItem

from contexten.server.problems import Refusal

if TYPE_CHECKING:
    from pyrate_limiter import Decision

MESSAGE = "Rate limit exceeded. Please try again later."


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests of one kind in so many seconds, per token."""

    kind: str
    requests: int
    seconds: int


READS = Limit("reads", 60, 30)
LOGS = Limit("logs", 60, 60)
CREATES = Limit("creates", 10, 60)
PULL_REQUESTS = Limit("pull requests", 30, 60)
AGENT_JOBS = Limit("agent jobs", 5, 60)

_RUN = "/v1/organizations/{org_id}/agent/run"
_LIMITS = {
    ("POST", _RUN): CREATES,
    ("POST", "/agent_runs"): CREATES,
    ("POST", "/create_agent_run/{mode}/{query:words}"): CREATES,
    ("POST", "/v1/organizations/{org_id}/workflows"): CREATES,
    ("GET", f"{_RUN}/{{agent_run_id}}/logs"): LOGS,
    ("GET", "/agent_runs/{agent_run_id}/logs"): LOGS,
    ("GET", "/v1/alpha/organizations/{org_id}/agent/run/{agent_run_id}/logs"): LOGS,
    ("PATCH", "/v1/organizations/{org_id}/prs/{pr_id}"): PULL_REQUESTS,
    ("PATCH", "/v1/organizations/{org_id}/repos/{repo_id}/prs/{pr_id}"): PULL_REQUESTS,
    ("POST", "/v1/organizations/{org_id}/setup-commands/generate"): AGENT_JOBS,
    ("POST", "/v1/organizations/{org_id}/sandbox/{sandbox_id}/analyze-logs"): AGENT_JOBS,
}


def limit_of(method: str, path: str) -> Limit:
    """The limit of a route; those that the documentation does not name count as reads."""
    return _LIMITS.get((method, path), READS)


class RequestLimits:
    """Counts requests of each token in memory. The 4,096 tokens seen last are remembered.

    Args:
        enabled: whether anything is refused.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._buckets: LRUCache[tuple[int, str], InMemoryBucket] = LRUCache(4096)

    def take(self, token_id: int, limit: Limit) -> None:
        """Count a request.

        Raises:
            Refusal: 429 with `Retry-After`: the limit is reached.
        """
        if not self._enabled:
            return
        bucket = self._bucket(token_id, limit)
        moment = time.monotonic_ns() // 1_000_000
        bucket.leak(moment)
        decision = cast("Decision", bucket.put_decision(RateItem(limit.kind, moment)))
        if not decision.allowed:
            wait = max(1, math.ceil((decision.retry_after_ms or 0) / 1000))
            raise Refusal(429, MESSAGE, headers={"Retry-After": str(wait)})

    def _bucket(self, token_id: int, limit: Limit) -> InMemoryBucket:
        key = (token_id, limit.kind)
        if key not in self._buckets:
            self._buckets[key] = InMemoryBucket([Rate(limit.requests, limit.seconds * 1000)])
        return self._buckets[key]
