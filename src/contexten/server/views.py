"""How the store's records look in the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from contexten.protocol import AgentRunDetail, AgentRunDiff, AgentRunWithLogs, ChangedFile, LogEntry, Window
from contexten.server.store.columns import iso

if TYPE_CHECKING:
    from datetime import datetime

    from contexten.server.services import Services
    from contexten.server.store.records import Diff, RunRecord


def run_url(services: Services, run_id: int) -> str:
    """Where a person looks at a run."""
    return f"{services.public_url}/runs/{run_id}"


def run_view(services: Services, run: RunRecord) -> AgentRunDetail:
    """A run as the API shows it."""
    return AgentRunDetail(
        id=run.id,
        organization_id=run.organization_id,
        status=run.status,
        created_at=iso(run.created_at),
        web_url=run_url(services, run.id),
        result=run.result,
        summary=run.summary,
        source_type=run.source_type,
        github_pull_requests=[],
        metadata=run.metadata,
        prompt=run.prompt,
        engine=run.engine,
        model=run.model,
        repo_id=run.repo_id,
        user_id=run.user_id,
        turn=run.turn,
        log_count=run.log_count,
        started_at=_iso(run.started_at),
        finished_at=_iso(run.finished_at),
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cost_usd=round(run.cost_usd, 6),
        banned=run.banned,
    )


def logs_view(services: Services, run: RunRecord, logs: list[LogEntry], window: Window) -> AgentRunWithLogs:
    """A run with one page of its log as the API shows it."""
    return AgentRunWithLogs(
        id=run.id,
        organization_id=run.organization_id,
        status=run.status,
        created_at=iso(run.created_at),
        web_url=run_url(services, run.id),
        result=run.result,
        metadata=run.metadata,
        logs=logs,
        total_logs=run.log_count,
        page=window.number,
        size=window.limit,
        pages=window.count(run.log_count),
    )


def diff_view(diff: Diff) -> AgentRunDiff:
    """What a run changed as the API shows it."""
    changes = diff.changes
    return AgentRunDiff(
        agent_run_id=diff.run_id,
        turn=diff.turn,
        branch=diff.branch or None,
        patch=changes.patch,
        files=[ChangedFile(**asdict(file)) for file in changes.files],
        insertions=changes.insertions,
        deletions=changes.deletions,
        truncated=changes.truncated,
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
