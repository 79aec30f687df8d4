"""Live streams: what happens to runs and workflows, as server-sent events."""

import re
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Header, Query, Request

from contexten.protocol import LiveEvent, RunEvent
from contexten.server.auth import Caller, GatedRoute, Running, secret_of
from contexten.server.live.streams import EventStream, Watch
from contexten.server.problems import invalid
from contexten.server.routes.shapes import OrgId, RunId, problems

_EVENT_ID = re.compile(r"[0-9]{1,19}")
router = APIRouter(route_class=GatedRoute, tags=["live"])

After = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="Id of the last event seen.")]
LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The same, as browsers send it; goes before `after`.")
]
Kinds = Annotated[
    set[Literal["log", "status", "partial", "deleted", "workflow"]] | None,
    Query(description="Send events of these kinds only; all that are kept, which is all but `partial`, when absent."),
]
_FORM = "`data` is JSON, `id` grows in the order of commits."
_OF_RUN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"Events of the kinds `log` and `status`, and `partial` when asked for; {_FORM}",
        "model": RunEvent,
    }
}
_OF_ORGANIZATION: dict[int | str, dict[str, Any]] = {
    200: {"description": f"Events of all kinds; {_FORM}", "model": LiveEvent}
}


class _Asked(NamedTuple):
    """What a client of a stream asked for."""

    watch: Watch
    after: int | None
    """Id of the last event that it has seen."""


def _asked(  # noqa: PLR0913, PLR0917 - each parameter is a part of the request
    request: Request,
    caller: Caller,
    services: Running,
    after: After = None,
    last_event_id: LastEventId = None,
    kinds: Kinds = None,
) -> _Asked:
    wanted = frozenset(kinds) if kinds else None
    watch = Watch(services.store, services.hub, caller, secret_of(request), services.settings.heartbeat, wanted)
    return _Asked(watch, _event_id(last_event_id) if last_event_id else after)


Asked = Annotated[_Asked, Depends(_asked)]


@router.get(
    "/v1/organizations/{org_id}/agent/run/{agent_run_id}/events",
    summary="Watch a run",
    response_class=EventStream,
    status_code=200,
    responses={**problems(), **_OF_RUN},
)
async def watch_run(org_id: OrgId, agent_run_id: RunId, services: Running, asked: Asked) -> EventStream:
    """Everything that the run says, from its beginning or from the last event seen. Ends by itself when the run has."""
    run = await services.store.runs.get(org_id, agent_run_id)
    return EventStream(asked.watch.run(run, asked.after or 0))


@router.get(
    "/v1/organizations/{org_id}/events",
    summary="Watch an organization",
    response_class=EventStream,
    status_code=200,
    responses={**problems(), **_OF_ORGANIZATION},
)
async def watch_organization(
    org_id: OrgId,  # noqa: ARG001 - part of the path; the gate has compared it with the token
    services: Running,
    asked: Asked,
) -> EventStream:
    """What all runs and workflows of the organization do, from now or from the last event seen, without end.

    A run that is deleted is told of by an event `deleted`; a workflow, or a task of it, that stands otherwise than
    before by an event `workflow`: read the workflow for all of it.

    Begins with an event `open` that has the id to come back with when nothing else was seen.
    """
    start = await services.store.events.last_id() if asked.after is None else asked.after
    return EventStream(asked.watch.organization(start))


def _event_id(text: str) -> int:
    if not (_EVENT_ID.fullmatch(text) and int(text) < 2**63):
        raise invalid("not the id of an event", "header", "Last-Event-ID")
    return int(text)
