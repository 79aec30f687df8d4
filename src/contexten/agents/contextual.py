"""`ContextualAgent`: an agent that remembers, under a key, what was said before."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, Unpack

from contexten.agents.enhanced import EnhancedAgent
from contexten.agents.prompts import Said, trimmed, with_context, with_history
from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.agents.outcome import RunOutcome
    from contexten.client.runs import RunOptions
    from contexten.client.task import AgentTask

BUDGET_TOKENS = 4000
CONTEXT_KEY = "context_key"
"""Under this name the key is kept in the metadata of each run."""
MOST_LOOKED_AT = 1000


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
        sent = with_context(prompt, context)
        if self._keep == "server":
            return self._continued(prompt, sent, context_key, wait, options)
        with self._lock:
            history = list(self._said.get(context_key, ()))
        outcome = self._follow_one(prompt, with_history(sent, history, self._budget), wait, options)
        self._remember(context_key, Said(prompt, outcome.result or ""))
        return outcome

    def history(self, context_key: str = "default") -> list[Said]:
        """What this object remembers of a conversation, oldest exchange first; empty when the server keeps it."""
        with self._lock:
            return list(self._said.get(context_key, ()))

    def forget(self, context_key: str | None = None) -> None:
        """Begin a conversation anew, or all of them. Runs that the server has stay there."""
        with self._lock:
            if context_key is None:
                self._said.clear()
                self._tasks = dict.fromkeys(self._tasks)
            else:
                self._said.pop(context_key, None)
                self._tasks[context_key] = None

    def _remember(self, context_key: str, said: Said) -> None:
        with self._lock:
            self._said[context_key] = trimmed([*self._said.get(context_key, ()), said], self._budget)

    def _continued(
        self, prompt: str, sent: str, context_key: str, wait: float | None, options: RunOptions
    ) -> RunOutcome:
        if context_key not in self._tasks:
            self._tasks[context_key] = self._last_task(context_key)
        earlier = self._tasks[context_key]
        outcome = self._follow_one(prompt, sent, wait, options, earlier)
        self._tasks[context_key] = earlier or self.current_job
        return outcome

    def _last_task(self, context_key: str) -> AgentTask | None:
        for looked_at, run in enumerate(self.api_client.iter_agent_runs()):
            if looked_at >= MOST_LOOKED_AT:
                return None
            if (run.metadata or {}).get(CONTEXT_KEY) == context_key:
                return self.api_client.task(run.id)
        return None
