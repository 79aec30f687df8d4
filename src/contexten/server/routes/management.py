"""Managing runs under short addresses, for the organization of the token: second names of the operations under `/v1`."""

from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Depends, Path, Request
from starlette.convertors import PathConvertor, register_url_convertor

from contexten.engines.base import MODE, with_mode
from contexten.protocol import (
    AgentRunDetail,
    AgentRunWithLogs,
    CreateAgentRunInput,
    NewestRun,
    NextPrompt,
    NoRun,
    Page,
    ResumeAgentRunInput,
    User,
)
from contexten.server.auth import Caller, GatedRoute, ImagesRoute, Running
from contexten.server.paging import Paged
from contexten.server.problems import invalid
from contexten.server.routes import logs, people, runs
from contexten.server.routes.runs import Chosen, IdempotencyKey
from contexten.server.routes.shapes import RunId, problems
from contexten.server.views import run_url

router = APIRouter(route_class=GatedRoute, tags=["management"])
with_images = APIRouter(route_class=ImagesRoute, tags=["management"])
LONGEST_MODE = 100
_RUN = "/agent_runs/{agent_run_id}"
_PARTS = 4
"""Of an address with a prompt: nothing ahead of the first slash, the operation, what it is about, the prompt."""


class _Words(PathConvertor):
    """All that is left of an address, line breaks too."""

    regex = "(?s:.*)"


register_url_convertor("words", _Words())


@router.get("/users/me", summary="Who am I?", responses=problems())
async def read_me(caller: Caller, services: Running) -> User:
    """The user that the token acts for."""
    return await people.get_me(caller, services)


@router.get("/agent_runs", summary="List runs", responses=problems())
async def list_agent_runs(window: Paged, caller: Caller, services: Running, chosen: Chosen) -> Page[AgentRunDetail]:
    """The organization's runs, newest first."""
    return await runs.list_runs(caller.organization_id, window, services, chosen)


@with_images.post("/agent_runs", summary="Create a run", responses=problems(409, body=True))
async def create_agent_run(
    body: CreateAgentRunInput, caller: Caller, services: Running, idempotency_key: IdempotencyKey = None
) -> AgentRunDetail:
    """Give an engine a prompt to work on. Answers at once; the run goes on by itself."""
    return await runs.create_run(caller.organization_id, body, caller, services, idempotency_key)


@router.get(_RUN, summary="Read a run", responses=problems())
async def get_agent_run(agent_run_id: RunId, caller: Caller, services: Running) -> AgentRunDetail:
    """A run's status, result and times."""
    return await runs.get_run(caller.organization_id, agent_run_id, services)


@router.get(_RUN + "/logs", summary="Read a run's log", responses=problems())
async def get_agent_run_logs(
    agent_run_id: RunId, window: Paged, caller: Caller, services: Running, reverse: logs.Reverse = False
) -> AgentRunWithLogs:
    """The run with one page of its log, oldest entries first unless `reverse`."""
    return await logs.get_logs(caller.organization_id, agent_run_id, window, services, reverse)


@with_images.post(_RUN + "/resume", summary="Go on with a run", responses=problems(409, body=True))
async def resume_agent_run(agent_run_id: RunId, body: NextPrompt, caller: Caller, services: Running) -> AgentRunDetail:
    """Say something more to a run that has ended: it gets a new turn, and the engine sees the earlier ones."""
    said = ResumeAgentRunInput(agent_run_id=agent_run_id, prompt=body.prompt, images=body.images)
    return await runs.resume_run(caller.organization_id, said, services)


Mode = Annotated[str, Path(min_length=1, description="A label such as `plan`, which the agent is told.")]
Prompt = Annotated[str, Path(min_length=1, description="The prompt, percent-encoded; an address holds 64 KB.")]


def _said(request: Request) -> list[str]:
    """The two last parts of an address, which is taken apart before it is decoded: a slash in the first stays in it.

    Raises:
        Refusal: 422: it is not UTF-8, or its end would be lost, because it has a question mark.
    """
    if request.scope["query_string"]:
        raise invalid("write a question mark in a prompt as %3F: what follows a bare one is no part of it", "path")
    parts = request.scope["raw_path"].split(b"/", _PARTS - 1)
    try:
        return [unquote_to_bytes(part).decode() for part in parts[-2:]]
    except UnicodeDecodeError:
        raise invalid("the address is not UTF-8", "path") from None


def _first(request: Request, mode: Mode, query: Prompt) -> CreateAgentRunInput:
    mode, query = _said(request)
    mode = mode.strip()
    if not mode or not mode.isprintable() or len(mode) > LONGEST_MODE:
        raise invalid(f"a mode is one line of at most {LONGEST_MODE} characters", "path", "mode")
    if not query.strip():
        raise invalid("the prompt is empty", "path", "query")
    return CreateAgentRunInput(prompt=with_mode(mode, query), metadata={MODE: mode})


def _next(request: Request, agent_run_id: RunId, query: Prompt) -> ResumeAgentRunInput:
    _, query = _said(request)
    return ResumeAgentRunInput(agent_run_id=agent_run_id, prompt=query)


@router.post("/create_agent_run/{mode}/{query:words}", summary="Create a run by address", responses=problems(409))
async def create_agent_run_by_address(
    said: Annotated[CreateAgentRunInput, Depends(_first)],
    caller: Caller,
    services: Running,
    idempotency_key: IdempotencyKey = None,
) -> AgentRunDetail:
    """Give an engine a prompt to work on, with a label ahead of it that is kept as `mode` in the run's metadata."""
    return await runs.create_run(caller.organization_id, said, caller, services, idempotency_key)


@router.post(
    "/resume_agent_run/{agent_run_id}/{query:words}", summary="Go on with a run by address", responses=problems(409)
)
async def resume_agent_run_by_address(
    said: Annotated[ResumeAgentRunInput, Depends(_next)], caller: Caller, services: Running
) -> AgentRunDetail:
    """Say something more to a run that has ended."""
    return await runs.resume_run(caller.organization_id, said, services)


@router.get("/status", summary="How does my newest run stand?", responses=problems())
async def get_status(caller: Caller, services: Running) -> NewestRun | NoRun:
    """The newest run of the token's user in short, or a message that there is none."""
    run = await services.store.runs.newest(caller.organization_id, caller.user_id)
    if run is None:
        return NoRun(message="You have no runs yet. Start one: POST /agent_runs with a prompt.")
    return NewestRun(id=run.id, status=run.status, result=run.result, web_url=run_url(services, run.id))
