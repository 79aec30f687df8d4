"""Live streams: log entries and status changes as server-sent events."""

import re
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request

from contexten.protocol import RunEvent
from contexten.server.auth import Caller, GatedRoute, Running, secret_of
from contexten.server.live.streams import EventStream, Watch
from contexten.server.problems import invalid
from contexten.server.routes.shapes import OrgId, RunId, problems
from contexten.server.services import Services
from contexten.server.store.records import Identity

_EVENT_ID = re.compile(r"[0-9]{1,19}")
router = APIRouter(route_class=GatedRoute, tags=["live"])

After = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="Id of the last event seen.")]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The same, as browsers send it; goes before `after`.")
]
Kinds = Annotated[
    set[Literal["log", "status"]] | None, Query(description="Send events of these kinds only; all when absent.")
]
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events of the kinds `log` and `status`; `data` is JSON, `id` grows in the order of commits.",
        "model": RunEvent,
    }
}


@router.get(
    "/v1/organizations/{org_id}/agent/run/{agent_run_id}/events",
    summary="Watch a run",
    response_class=EventStream,
    status_code=200,
    responses={**problems(), **_STREAM},
)
async def watch_run(  # noqa: PLR0913 - each parameter is a part of the request
    *,
    request: Request,
    org_id: OrgId,
    agent_run_id: RunId,
    caller: Caller,
    services: Running,
    after: After = None,
    last_event_id: LastEventId = None,
    kinds: Kinds = None,
) -> EventStream:
    """Everything that the run says, from its beginning or from the last event seen. Ends by itself when the run has."""
    run = await services.store.runs.get(org_id, agent_run_id)
    start = _start(after, last_event_id)
    return EventStream(_watch(request, caller, services, kinds).run(run, start or 0))


@router.get(
    "/v1/organizations/{org_id}/events",
    summary="Watch an organization",
    response_class=EventStream,
    status_code=200,
    responses={**problems(), **_STREAM},
)
async def watch_organization(  # noqa: PLR0913 - each parameter is a part of the request
    *,
    request: Request,
    org_id: OrgId,  # noqa: ARG001 - part of the path; the gate has compared it with the token
    caller: Caller,
    services: Running,
    after: After = None,
    last_event_id: LastEventId = None,
    kinds: Kinds = None,
) -> EventStream:
    """What all runs of the organization say, from now or from the last event seen, without end.

    Begins with an event `open` that has the id to come back with when nothing else was seen.
    """
    start = _start(after, last_event_id)
    start = await services.store.events.last_id() if start is None else start
    return EventStream(_watch(request, caller, services, kinds).organization(start))


def _watch(request: Request, caller: Identity, services: Services, kinds: AbstractSet[str] | None) -> Watch:
    wanted = frozenset(kinds) if kinds else None
    return Watch(services.store, services.hub, caller, secret_of(request), services.settings.heartbeat, wanted)


def _start(after: int | None, last_event_id: str | None) -> int | None:
    if not last_event_id:
        return after
    if not (_EVENT_ID.fullmatch(last_event_id) and int(last_event_id) < 2**63):
        raise invalid("not the id of an event", "header", "Last-Event-ID")
    return int(last_event_id)
