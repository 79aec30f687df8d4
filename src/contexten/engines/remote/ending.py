"""What a run on another server came to: its status and answer, what it consumed in this turn, and what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.engines.base import Outcome, Usage
from contexten.errors import EngineError, NotFoundError
from contexten.protocol import AgentRunDetail, RunStatus, is_terminal

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.engines.changes import Changes
    from contexten.protocol import AgentRun

_MOST_TOKENS = 2**53


def spent_by(run: AgentRun) -> dict[str, Any]:
    """What all turns of a run consumed so far; nothing where its server does not tell."""
    if not isinstance(run, AgentRunDetail):
        return {}
    return {"input_tokens": run.input_tokens, "output_tokens": run.output_tokens, "cost_usd": run.cost_usd}


async def outcome_of(client: AsyncCodegenClient, run: AgentRun, before: dict[str, Any]) -> Outcome:
    """The outcome of a turn.

    Args:
        client: speaks with the run's server.
        run: as it is now.
        before: what the turns before had consumed.

    Raises:
        EngineError: it has not ended, and its server tells no more about it.
        ApiError: the server cannot be reached.
    """
    status = RunStatus.parse(run.status or "")
    if not is_terminal(status):
        raise EngineError(f"The run there stands at {run.status}, and its server tells no more about it.")
    return Outcome(
        RunStatus(status),
        run.result or f"The run there ended as {status}, without a result.",
        run.summary,
        _usage(spent_by(run), before),
        await _changes(client, run),
    )


def _usage(now: dict[str, Any], before: dict[str, Any]) -> Usage:
    spent = {name: max(0, value - before.get(name, 0)) for name, value in now.items()}
    read, wrote = (min(int(spent.get(name, 0)), _MOST_TOKENS) for name in ("input_tokens", "output_tokens"))
    return Usage(read, wrote, float(spent.get("cost_usd", 0.0)))


async def _changes(client: AsyncCodegenClient, run: AgentRun) -> Changes | None:
    """What the run changed there, which can be looked at and applied here; None from a server that cannot tell."""
    from contexten.engines.changes import Changes, FileChange

    if not isinstance(run, AgentRunDetail):
        return None
    try:
        diff = await client.get_agent_run_diff(run.id, org_id=run.organization_id)
    except NotFoundError:  # an older one of ours
        return None
    if not diff.files:
        return None
    files = tuple(FileChange(**{name: getattr(file, name) for name in FileChange.__slots__}) for file in diff.files)
    return Changes(diff.patch, files, diff.insertions, diff.deletions, diff.truncated)
