"""Agents that retry, batch and remember. Run it against a server: `contexten up`, then this file.

Reads CODEGEN_TOKEN, CODEGEN_ORG_ID, CODEGEN_BASE_URL and LOG_LEVEL; with none of them set it finds the local server.
"""

from __future__ import annotations

import os
import sys

from contexten.agents import ContextualAgent, EnhancedAgent, RunOutcome
from contexten.errors import ContextenError
from contexten.telemetry.logs import configure_logging

__all__ = ["ContextualAgent", "EnhancedAgent", "RunOutcome"]


def main() -> int:
    """Ask one question, several at once, and one that follows on another."""
    configure_logging(os.environ.get("LOG_LEVEL", "WARNING"))
    with EnhancedAgent(max_retries=3) as agent:
        show("one run", agent.run_with_retry("Give me an overview"))
        for outcome in agent.run_batch(["Where are the tests?", "What are the entry points?"], max_concurrent=2):
            show("batch", outcome)
    with ContextualAgent(keep="server") as agent:
        show("conversation", agent.run_with_context("What does the README say?", context_key="example"))
        show("follow-up", agent.run_with_context("And how many files are there?", context_key="example"))
    return 0


def show(title: str, outcome: RunOutcome) -> None:
    """Print an outcome in a few lines."""
    first = (outcome.result or str(outcome.error or "")).strip().split("\n", 1)[0]
    print(f"{title}: run {outcome.run_id} {outcome.status} in {outcome.seconds:.2f} s\n  {first}")  # noqa: T201 - a program


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ContextenError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
