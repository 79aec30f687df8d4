"""Logs: what a run has said, page by page, at both documented addresses."""

from typing import Annotated

from fastapi import APIRouter, Query

from contexten.protocol import AgentRunWithLogs
from contexten.server.auth import GatedRoute, Running
from contexten.server.paging import Paged
from contexten.server.routes.shapes import OrgId, RunId, problems
from contexten.server.views import logs_view

router = APIRouter(route_class=GatedRoute, tags=["agents"])
Reverse = Annotated[bool, Query(description="Newest entries first.")]


@router.get(
    "/v1/alpha/organizations/{org_id}/agent/run/{agent_run_id}/logs",
    summary="Read a run's log",
    responses=problems(),
)
@router.get(
    "/v1/organizations/{org_id}/agent/run/{agent_run_id}/logs",
    summary="Read a run's log (address of the documentation's prose)",
    responses=problems(),
)
async def get_logs(
    org_id: OrgId,
    agent_run_id: RunId,
    window: Paged,
    services: Running,
    reverse: Reverse = False,
) -> AgentRunWithLogs:
    """The run with one page of its log, oldest entries first unless `reverse`."""
    run, logs = await services.store.events.logs(org_id, agent_run_id, window, reverse=reverse)
    return logs_view(services, run, logs, window)
