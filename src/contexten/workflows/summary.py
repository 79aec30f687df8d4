"""A workflow in figures, the same ones whoever ran it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from contexten.protocol.workflows import TaskStatus, WorkflowSummary

if TYPE_CHECKING:
    from contexten.workflows.states import States


def summary_of(states: States) -> WorkflowSummary:
    """The figures of a workflow."""
    counts = Counter(state.status for state in states.values())
    return WorkflowSummary(
        total=len(states),
        completed=counts[TaskStatus.COMPLETE],
        failed=counts[TaskStatus.FAILED],
        skipped=counts[TaskStatus.SKIPPED],
        cancelled=counts[TaskStatus.CANCELLED],
        running=counts[TaskStatus.RUNNING] + counts[TaskStatus.RETRYING],
        waiting=counts[TaskStatus.WAITING],
        success_rate=100 * counts[TaskStatus.COMPLETE] / len(states) if states else 0.0,
        cost_usd=sum(state.cost_usd for state in states.values()),
    )
