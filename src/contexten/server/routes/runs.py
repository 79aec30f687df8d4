"""Runs: create, read, list, go on with, stop, search."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query

from contexten.engines.checkout import discard_checkout
from contexten.engines.workspace import CHECKOUTS
from contexten.protocol import (
    AgentRunDetail,
    CreateAgentRunInput,
    Page,
    ResumeAgentRunInput,
    Role,
    RunStatus,
    SearchHit,
    SearchResults,
    SourceType,
    StopAgentRunInput,
    is_terminal,
)
from contexten.server.auth import Caller, GatedRoute, ImagesRoute, Running
from contexten.server.paging import Paged
from contexten.server.problems import Refusal
from contexten.server.prompts import check_images, check_prompt, new_run
from contexten.server.routes.shapes import LARGEST, OrgId, RunId, problems
from contexten.server.services import Services
from contexten.server.store.errors import RunBusyError
from contexten.server.store.records import RunFilter, RunRecord
from contexten.server.views import run_view
from contexten.telemetry.runs import run_metrics

router = APIRouter(route_class=GatedRoute, tags=["agents"])
with_images = APIRouter(route_class=ImagesRoute, tags=["agents"])
_RUN = "/v1/organizations/{org_id}/agent/run"
_RUNS = "/v1/organizations/{org_id}/agent/runs"
_BETA = "/v1/beta/organizations/{org_id}/agent/run"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A second create with the same key and body answers the first run; another body is a 409.",
    ),
]


def _chosen(  # noqa: PLR0913, PLR0917 - each parameter is a part of the request
    user_id: Annotated[int | None, Query(ge=-LARGEST - 1, le=LARGEST, description="Runs of this user only.")] = None,
    source_type: Annotated[SourceType | None, Query(description="Runs that came from here only.")] = None,
    status: Annotated[list[RunStatus] | None, Query(description="Runs with one of these only.")] = None,
    engine: Annotated[str | None, Query(max_length=200, description="Runs of this engine only.")] = None,
    repo_id: Annotated[int | None, Query(ge=-LARGEST - 1, le=LARGEST, description="Runs on this repository.")] = None,
    before_id: Annotated[
        int | None, Query(ge=0, le=LARGEST, description="Runs older than this one: pages that stay where they are.")
    ] = None,
) -> RunFilter:
    statuses = tuple(sorted({str(each) for each in status or ()}))
    return RunFilter(user_id, source_type, statuses, engine, repo_id, before_id)


Chosen = Annotated[RunFilter, Depends(_chosen)]


@with_images.post(_RUN, summary="Create a run", responses=problems(409, body=True))
async def create_run(
    org_id: OrgId, body: CreateAgentRunInput, caller: Caller, services: Running, idempotency_key: IdempotencyKey = None
) -> AgentRunDetail:
    """Give an engine a prompt to work on. Answers at once; the run goes on by itself and its log can be watched."""
    run, created = await services.store.runs.create(await new_run(services, org_id, caller, body, idempotency_key))
    if created:
        services.queue.wake()
    return run_view(services, run)


@router.get(_RUN + "/{agent_run_id}", summary="Read a run", responses=problems())
async def get_run(org_id: OrgId, agent_run_id: RunId, services: Running) -> AgentRunDetail:
    """A run's status, result and times."""
    return run_view(services, await services.store.runs.get(org_id, agent_run_id))


@router.get(_RUNS, summary="List runs", responses=problems())
async def list_runs(org_id: OrgId, window: Paged, services: Running, chosen: Chosen) -> Page[AgentRunDetail]:
    """The organization's runs, newest first. `status`, `engine`, `repo_id` and `before_id` are ours."""
    runs, total = await services.store.runs.list(org_id, window, chosen)
    return window.page_of([run_view(services, run) for run in runs], total)


@router.get(_RUNS + "/search", summary="Search runs", responses=problems())
async def search_runs(
    org_id: OrgId,
    services: Running,
    q: Annotated[str, Query(min_length=1, max_length=1000, description="Words to find.")],
    limit: Annotated[int, Query(ge=1, le=100, description="How many hits to answer at most.")] = 20,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> SearchResults:
    """Runs whose prompts, results or logs contain all the words, newest first. The words are not a query language."""
    found = await services.store.search.find(org_id, q, limit=limit, cursor=cursor)
    hits = [
        SearchHit(run=run_view(services, match.run), where=match.where, snippet=match.snippet, event_id=match.event_id)
        for match in found.matches
    ]
    return SearchResults(items=hits, next_cursor=found.next_cursor)


@with_images.post(_RUN + "/resume", summary="Go on with a run", responses=problems(409, body=True))
@with_images.post(_BETA + "/resume", summary="Go on with a run (beta address)", responses=problems(409, body=True))
async def resume_run(org_id: OrgId, body: ResumeAgentRunInput, services: Running) -> AgentRunDetail:
    """Say something more to a run that has ended: it gets a new turn, and the engine sees the earlier ones."""
    check_prompt(services.settings, body.prompt)
    images = await check_images(body.images)
    try:
        run = await services.store.runs.resume(org_id, body.agent_run_id, body.prompt, images)
    except RunBusyError as error:
        # Other conflicts stay; a run at work ends. Clients that just saw its answer come a moment too early.
        raise Refusal(409, str(error), headers={"x-should-retry": "true", "Retry-After": "1"}) from error
    services.queue.wake()
    return run_view(services, run)


@router.post(_BETA + "/stop", summary="Stop a run", responses=problems(409, body=True))
async def stop_run(org_id: OrgId, body: StopAgentRunInput, services: Running) -> AgentRunDetail:
    """End a run as CANCELLED. A run that has ended stays as it is."""
    return run_view(services, await _stop(services, org_id, body.agent_run_id, RunStatus.CANCELLED))


@router.post(_RUN + "/ban", summary="Ban a run's checks", responses=problems(409, body=True))
async def ban_run(org_id: OrgId, body: StopAgentRunInput, services: Running) -> AgentRunDetail:
    """Stop a run when it is going on, and flag it as banned: it is not resumed until it is unbanned."""
    return await _ban(services, org_id, body.agent_run_id)


@router.post(_RUN + "/remove-from-pr", summary="Take a run off its pull request", responses=problems(409, body=True))
async def remove_from_pull_request(org_id: OrgId, body: StopAgentRunInput, services: Running) -> AgentRunDetail:
    """The same as ban, under the name that people understand."""
    return await _ban(services, org_id, body.agent_run_id)


@router.post(_RUN + "/unban", summary="Unban a run's checks", responses=problems(409, body=True))
async def unban_run(org_id: OrgId, body: StopAgentRunInput, services: Running) -> AgentRunDetail:
    """Take the flag away: the run may be resumed again. It does not go on by itself."""
    return run_view(services, await services.store.runs.ban(org_id, body.agent_run_id, False))


@router.delete(_RUN + "/{agent_run_id}", summary="Delete a run", responses=problems(409))
async def delete_run(org_id: OrgId, agent_run_id: RunId, caller: Caller, services: Running) -> AgentRunDetail:
    """Forget a run that has ended, with its log, its copy of the repository and everything that a search would find; answers it as it was.

    For admins, and for the user whose run it is. One that goes on must be stopped first. There is no way back.
    """
    run = await services.store.runs.get(org_id, agent_run_id)
    if caller.role != Role.ADMIN and caller.user_id != run.user_id:
        raise Refusal(403, f"Run {run.id} is another user's. To delete it a token needs the role {Role.ADMIN}.")
    run = await services.store.runs.delete(org_id, agent_run_id)
    await asyncio.to_thread(discard_checkout, services.settings.data_dir / CHECKOUTS, org_id, agent_run_id)
    return run_view(services, run)


async def _ban(services: Services, org_id: int, run_id: int) -> AgentRunDetail:
    run = await services.store.runs.ban(org_id, run_id, True)
    if not is_terminal(run.status):
        run = await _stop(services, org_id, run_id, RunStatus.STOPPED)
    return run_view(services, run)


async def _stop(
    services: Services, org_id: int, run_id: int, status: Literal[RunStatus.CANCELLED, RunStatus.STOPPED]
) -> RunRecord:
    run, stopped = await services.store.runs.cancel(org_id, run_id, status)
    if stopped:
        run_metrics.ended(run.engine, run.status, successful=None)
        await services.queue.cancel(run.id, run.turn)
    return run
