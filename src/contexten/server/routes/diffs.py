"""Diffs: what a run changed, as JSON with figures or as a patch alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import Response

from contexten.protocol import AgentRunDiff
from contexten.server.auth import GatedRoute, Running
from contexten.server.routes.shapes import OrgId, RunId, problems
from contexten.server.views import diff_view

router = APIRouter(route_class=GatedRoute, tags=["agents"])
_PATCH = "text/x-diff"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the run changed.", "content": {_PATCH: {"schema": {"type": "string"}}}}
}


@router.get(
    "/v1/organizations/{org_id}/agent/run/{agent_run_id}/diff",
    summary="Read what a run changed",
    response_model=AgentRunDiff,
    responses={**_ANSWERS, **problems()},
)
async def get_diff(
    org_id: OrgId, agent_run_id: RunId, services: Running, accept: Annotated[str, Header()] = "*/*"
) -> AgentRunDiff | Response:
    """What a run has changed since it began, in its own copy of the repository, as its newest turn left it.

    Asked with `Accept: text/x-diff`, answers the patch alone. A run that changed nothing has an empty one.
    """
    diff = await services.store.diffs.get(org_id, agent_run_id)
    if _PATCH in accept.lower():
        return Response(diff.changes.patch, media_type=_PATCH, headers={"Vary": "Accept"})
    return diff_view(diff)
