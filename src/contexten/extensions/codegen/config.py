"""What may be said about generating with agents behind it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from contexten.autogenlib import AutogenClient, AutogenConfig
from contexten.autogenlib.config import MONTH
from contexten.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

_LEAST_CONTEXT = 100


@dataclass(frozen=True)
class CodegenAutogenConfig:
    """All of it may be left out: then the settings of the environment count, and the local server is found by itself.

    Raises:
        UsageError: a value cannot be meant.
    """

    org_id: int | str | None = None
    token: SecretStr | str | None = field(default=None, repr=False)
    base_url: str | None = None
    autogenlib_description: str = ""
    """What the generated code is for, in a person's words."""
    enable_exception_handler: bool | None = None
    """Whether uncaught errors of the program are explained by a run; None leaves that as it is."""
    enable_caching: bool = True
    max_context_size: int = 16_000
    """Characters of the codebase and of the caller's facts in a prompt; the task itself is never cut."""
    cache_ttl: float = MONTH
    """Seconds for which an answer is used again for the same request."""
    max_retries: int = 3
    """Repetitions of a request that did not reach the server or met a passing fault."""
    agent_engine: str | None = None
    """Engine of the agent's runs; the server's default when absent."""
    agent_timeout: float = 300.0
    """Seconds that an agent's run may take before it is stopped."""
    fallback: bool = True
    """Whether an agent is asked when direct generation fails."""
    autogen: AutogenConfig = field(default_factory=AutogenConfig)
    """Everything else about generated code: the project's folder, engine, model, quotas, what the gate lets through."""

    def __post_init__(self) -> None:
        if self.max_context_size < _LEAST_CONTEXT:
            raise UsageError(f"max_context_size must be >= {_LEAST_CONTEXT}, got {self.max_context_size}")
        if self.max_retries < 0:
            raise UsageError(f"max_retries must be >= 0, got {self.max_retries}")
        if not self.cache_ttl > 0 or not self.agent_timeout > 0:
            raise UsageError(
                f"cache_ttl and agent_timeout must be > 0 seconds, got {self.cache_ttl} and {self.agent_timeout}"
            )

    @property
    def generation(self) -> AutogenConfig:
        """The same for `autogenlib`."""
        return replace(
            self.autogen,
            base_url=self.base_url or self.autogen.base_url,
            description=self.autogenlib_description or self.autogen.description,
            caching=self.enable_caching,
            cache_ttl=self.cache_ttl,
            max_retries=self.max_retries,
        )

    def client(self) -> AutogenClient:
        """What generates; it keeps no answers by itself, the integration does."""
        return AutogenClient(self.org_id, self.token, replace(self.generation, caching=False))
