"""`ContextualAgent`: an agent that remembers, under a key, what was said before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from contexten.agents.enhanced import EnhancedAgent
from contexten.agents.prompts import Said, trimmed, with_context, with_history
from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.agents.outcome import RunOutcome
    from contexten.client.runs import RunOptions
    from contexten.client.task import AgentTask

T = TypeVar("T")

BUDGET_TOKENS = 4000
CONTEXT_KEY = "context_key"
"""Under this name the key is kept in the metadata of each run."""
MOST_LOOKED_AT = 1000
"""Runs among which the newest of a conversation is looked for."""
MOST_KEPT = 1000
"""Conversations that one object remembers; those used longest ago are forgotten first."""


class ContextualAgent(EnhancedAgent):
    """An `EnhancedAgent` with a conversation for each key.

    Args:
        keep: `memory` sends the newest exchanges along with each prompt; they are gone with this object. `server`
            continues the key's last run, so that the server keeps the conversation and a later program finds it.
        budget_tokens: how much of the history is sent, and kept, for each key; about four characters a token.
        arguments: as for `EnhancedAgent`.
    """

    name = "contextual"

    def __init__(
        self,
        *arguments: Any,
        keep: Literal["memory", "server"] = "memory",
        budget_tokens: int = BUDGET_TOKENS,
        **options: Any,
    ) -> None:
        if keep not in {"memory", "server"}:
            raise UsageError(f"keep must be 'memory' or 'server', got {keep!r}")
        if budget_tokens < 0:
            raise UsageError(f"budget_tokens must be >= 0, got {budget_tokens}")
        super().__init__(*arguments, **options)
        self._keep = keep
        self._budget = budget_tokens
        self._said: dict[str, list[Said]] = {}
        self._tasks: dict[str, AgentTask | None] = {}
        self._looks = True
        """Whether a conversation that is not known here may be known to the server."""
        self._lock = threading.Lock()

    def run_with_context(
        self,
        prompt: str,
        context_key: str = "default",
        context: Mapping[str, Any] | None = None,
        *,
        wait: float | None = None,
        **options: Unpack[RunOptions],
    ) -> RunOutcome:
        """Say something in a conversation, and follow the run to its end.

        Args:
            prompt: what to do next.
            context_key: names the conversation.
            context: facts to send along this time.
            wait: seconds to follow the run at most; it goes on after that.
            options: what may be said about a run; they count for the first of a conversation kept by the server.

        Raises:
            UsageError: the prompt is empty; nothing was sent.
            ApiError: the server could not be asked, after all repetitions.
        """
        options["metadata"] = {**(options.get("metadata") or {}), CONTEXT_KEY: context_key}
        if self._keep == "server":
            return self._followed(
                prompt, lambda: self._go_on(with_context(prompt, context), context_key, options), wait
            )
        history = self.history(context_key)

        def start() -> AgentTask:
            return self.run(with_history(with_context(prompt, context), history, self._budget), **options)

        outcome = self._followed(prompt, start, wait)
        self._remember(context_key, Said(prompt, outcome.result or ""))
        return outcome

    def history(self, context_key: str = "default") -> list[Said]:
        """What this object remembers of a conversation, oldest exchange first; empty when the server keeps it."""
        with self._lock:
            return list(self._said.get(context_key, ()))

    def forget(self, context_key: str | None = None) -> None:
        """Begin a conversation anew, or all of them; with `None`, also those that only the server knows.

        Runs that the server has stay there.
        """
        with self._lock:
            if context_key is None:
                self._said.clear()
                self._tasks.clear()
                self._looks = False
            else:
                self._said.pop(context_key, None)
                _keep(self._tasks, context_key, None)

    def _remember(self, context_key: str, said: Said) -> None:
        with self._lock:
            _keep(self._said, context_key, trimmed([*self._said.get(context_key, ()), said], self._budget))

    def _go_on(self, sent: str, context_key: str, options: RunOptions) -> AgentTask:
        with self._lock:
            known, earlier = context_key in self._tasks, self._tasks.get(context_key)
        if not known and self._looks:
            earlier = self._last_task(context_key)
        task = self.run(sent, **options) if earlier is None else earlier.resume(sent)
        with self._lock:
            _keep(self._tasks, context_key, task)
        return task

    def _last_task(self, context_key: str) -> AgentTask | None:
        for looked_at, run in enumerate(self.api_client.iter_agent_runs()):
            if looked_at >= MOST_LOOKED_AT:
                return None
            if (run.metadata or {}).get(CONTEXT_KEY) == context_key:
                return self.api_client.task(run.id)
        return None


def _keep(kept: dict[str, T], key: str, value: T) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > MOST_KEPT:
        del kept[next(iter(kept))]
