"""What a turn may use up, what it has used up, and which limit ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contexten.engines.base import Usage
from contexten.engines.model.ending import Ended
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

_MORE = "It can go on where it is:"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one turn may use up."""

    requests: int = 100
    """Times that the model is asked."""
    tokens: int = 5_000_000
    """Read and written by the model, all requests together."""
    cost_usd: float = 5.0
    """As far as prices are known."""
    command_seconds: float = 600.0
    """What one command may take."""
    request_seconds: float = 300.0
    """How long nothing may come of an answer, each time that it is asked for."""
    retries: int = 4
    """How often the provider's own library sends a request again that met a passing fault. Nothing else does."""


@dataclass(slots=True)
class Spent:
    """What a turn has used up, all its attempts together."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    priced: bool = True
    """Whether the price of all of it is known."""

    def add(self, used: Mapping[str, Any]) -> None:
        """Count one request, as `conversation.used_by` describes it."""
        self.requests += 1
        self.input_tokens += int(used.get("input_tokens") or 0)
        self.output_tokens += int(used.get("output_tokens") or 0)
        cost = used.get("cost_usd")
        self.cost_usd += float(cost or 0)
        self.priced &= cost is not None

    @property
    def usage(self) -> Usage:
        """The same as it is kept with a run; what has no known price counts as nothing."""
        return Usage(self.input_tokens, self.output_tokens, round(self.cost_usd, 6))

    def check(self, limits: Limits) -> None:
        """Raise what ends the turn when a limit is reached.

        Raises:
            Ended: it is; the message names the limit and the setting that moves it.
        """
        tokens = self.input_tokens + self.output_tokens
        if self.requests >= limits.requests:
            said = f"after {self.requests} requests to the model (CONTEXTEN_MODEL_MAX_REQUESTS)"
            raise Ended(RunStatus.MAX_ITERATIONS_REACHED, f"The run was stopped {said}. {_MORE}", resumable=True)
        if tokens >= limits.tokens:
            said = f"after {tokens:,} of {limits.tokens:,} tokens (CONTEXTEN_MODEL_MAX_TOKENS)"
            raise Ended(RunStatus.OUT_OF_TOKENS, f"The run was stopped {said}. {_MORE}", resumable=True)
        if self.cost_usd >= limits.cost_usd:
            said = f"at a cost of ${self.cost_usd:.2f} (CONTEXTEN_MODEL_MAX_COST is ${limits.cost_usd:.2f})"
            raise Ended(RunStatus.OUT_OF_TOKENS, f"The run was stopped {said}. {_MORE}", resumable=True)
