"""Tools about runs: begin one and watch it, look at those there are, go on, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from contexten.mcp.answers import LONGEST, as_json, bounded, facts, fitting, in_list, of_log
from contexten.mcp.following import until_ended
from contexten.mcp.tool import OrganizationArguments

if TYPE_CHECKING:
    from contexten.client import AsyncAgentTask
    from contexten.mcp.tool import Call

_RUN = Field(ge=1, description="Number of the run.")
_WAIT = Field(
    50,
    ge=0,
    le=3600,
    description="Seconds to wait for its end, with its log as progress meanwhile; 0 answers at once. A run that goes on "
    "longer is not stopped: ask get_agent_run for it.",
)


class Create(OrganizationArguments):
    """Create a new agent run: an agent works on a repository until the prompt is answered or the task is done.

    It works in a copy of its own; get_agent_run_diff shows what it changed. Answers with the run and its result, or, when
    it takes longer than wait_seconds, with its number.
    """

    prompt: str = Field(description="The prompt/task for the agent to execute.")
    repo_name: str | None = Field(None, description="Repository to work on, as list_repositories names it.")
    repo_id: int | None = Field(None, description="The same by its number.")
    branch_name: str | None = Field(None, description="Not used: a run begins with what is on disk now.")
    engine: str | None = Field(
        None, description="Who does it, as list_engines names them; the server's default if absent."
    )
    model: str | None = Field(None, description="Model as provider:name, for engines that have a choice.")
    timeout: float | None = Field(None, gt=0, description="Seconds that the run may take.")
    wait_seconds: float = _WAIT


class Get(OrganizationArguments):
    """Get details of a specific agent run: status, result, figures. Can wait for its end."""

    agent_run_id: int = _RUN
    wait_seconds: float = Field(0, ge=0, le=3600, description="Seconds to wait for its end, if it goes on.")


class List(OrganizationArguments):
    """List agent runs, newest first."""

    limit: int = Field(10, ge=1, le=100, description="How many.")
    skip: int = Field(0, ge=0, description="How many of the newest to leave out.")


class Search(OrganizationArguments):
    """Find agent runs whose prompt, result or log contains a text, newest first."""

    text: str = Field(min_length=1, max_length=1_000, description="What they contain.")
    limit: int = Field(10, ge=1, le=50, description="How many.")


class Resume(OrganizationArguments):
    """Say something more to an agent run that has ended: it goes on with what it knows, in the same copy."""

    agent_run_id: int = _RUN
    prompt: str = Field(description="What to say.")
    wait_seconds: float = _WAIT


class Cancel(OrganizationArguments):
    """Stop an agent run. One that has ended stays as it is; what it has changed so far is kept."""

    agent_run_id: int = _RUN


class Logs(OrganizationArguments):
    """Read the log of an agent run: what it thought, which tools it used, what came of it. `next_skip` reads on."""

    agent_run_id: int = _RUN
    skip: int = Field(0, ge=0, description="How many entries to leave out from the beginning.")
    limit: int = Field(50, ge=1, le=100, description="How many.")
    reverse: bool = Field(False, description="Newest first.")


class Diff(OrganizationArguments):
    """Show what an agent run has changed in its copy of the repository: a patch that `git apply` takes."""

    agent_run_id: int = _RUN
    path: str | None = Field(None, description="Only the changes of this file.")


async def create(call: Call, wanted: Create) -> str:
    """Begin a run."""
    repo_id = await call.access.repo_id(wanted.repo_name, wanted.repo_id)
    task = await call.access.client.run(
        wanted.prompt,
        repo_id=repo_id,
        engine=wanted.engine,
        model=wanted.model,
        timeout=wanted.timeout,
        org_id=wanted.org_id,
    )
    return await _followed(call, task, wanted.wait_seconds)


async def get(call: Call, wanted: Get) -> str:
    """A run as it stands, or as it ends."""
    task = await call.access.client.task(wanted.agent_run_id, org_id=wanted.org_id)
    return await _followed(call, task, wanted.wait_seconds)


async def list_runs(call: Call, wanted: List) -> str:
    """A page of the runs."""
    page = await call.access.client.list_agent_runs(skip=wanted.skip, limit=wanted.limit, org_id=wanted.org_id)
    shown = fitting(_reachable(call, in_list(run)) for run in page.items)
    return as_json({"agent_runs": shown, "total": page.total, "next_skip": _next(wanted.skip, shown, page.total)})


async def search(call: Call, wanted: Search) -> str:
    """Runs with a text."""
    found = await call.access.client.search(wanted.text, limit=wanted.limit, org_id=wanted.org_id)
    hits = fitting(
        _reachable(call, {**in_list(hit.run), "where": hit.where, "snippet": hit.snippet}) for hit in found.items
    )
    return as_json({"agent_runs": hits, "more": found.next_cursor is not None or len(hits) < len(found.items)})


async def resume(call: Call, wanted: Resume) -> str:
    """Go on with a run."""
    task = await call.access.client.task(wanted.agent_run_id, org_id=wanted.org_id)
    return await _followed(call, await task.resume(wanted.prompt), wanted.wait_seconds)


async def cancel(call: Call, wanted: Cancel) -> str:
    """Stop a run."""
    run = await call.access.client.cancel_agent_run(wanted.agent_run_id, org_id=wanted.org_id)
    return as_json(_reachable(call, facts(run)))


async def logs(call: Call, wanted: Logs) -> str:
    """A page of a run's log."""
    page = await call.access.client.get_agent_run_logs(
        wanted.agent_run_id, skip=wanted.skip, limit=wanted.limit, reverse=wanted.reverse, org_id=wanted.org_id
    )
    shown = fitting(map(of_log, page.logs))
    more = _next(wanted.skip, shown, page.total_logs or 0)
    found = {"id": page.id, "status": page.status, "logs": shown, "total_logs": page.total_logs}
    return as_json({**found, "next_skip": more})


async def diff(call: Call, wanted: Diff) -> str:
    """What a run has changed."""
    found = await call.access.client.get_agent_run_diff(wanted.agent_run_id, org_id=wanted.org_id)
    files = [file for file in found.files if wanted.path in {None, file.path, file.previous}]
    if not files:
        what = f" {wanted.path!r}" if wanted.path and found.files else " anything"
        return f"Run {wanted.agent_run_id} has not changed{what}."
    stat = "\n".join(f"{file.status:<9}+{file.insertions} -{file.deletions}  {file.path}" for file in files)
    left_out = "\n[the patch leaves out what is too large]" if any(file.omitted for file in files) else ""
    patch = _section(found.patch, wanted.path) if wanted.path else found.patch
    heading = f"run {found.agent_run_id} · turn {found.turn} · files: {len(files)}\n{stat}{left_out}\n\n"
    if len(heading) + len(patch) > LONGEST and len(files) > 1:
        return bounded(f"{heading}[the patch has {len(patch)} characters: ask for one file at a time with `path`]")
    return bounded(heading + patch)


async def _followed(call: Call, task: AsyncAgentTask, seconds: float) -> str:
    await until_ended(task, seconds, call.progress)
    return as_json(_reachable(call, facts(task.run, next_step=_next_step(task))))


def _next_step(task: AsyncAgentTask) -> str | None:
    if not task.is_terminal:
        return f"It goes on. get_agent_run {task.id} with wait_seconds waits for its end."
    writes = task.run.get("summary") and task.run.get("engine") not in {None, "analyst"}
    return f"get_agent_run_diff {task.id} shows what it changed." if writes else None


def _reachable(call: Call, run: dict[str, Any]) -> dict[str, Any]:
    """A run without the address of a server that is gone soon."""
    return {name: value for name, value in run.items() if name != "web_url" or not call.access.passing}


def _next(skip: int, shown: list[dict[str, Any]], total: int) -> int | None:
    """What to leave out to read on; None at the end."""
    after = skip + len(shown)
    return after if shown and after < total else None


def _section(patch: str, path: str) -> str:
    """The part of a patch that is about one file."""
    parts = [f"diff --git {part}" for part in f"\n{patch}".split("\ndiff --git ")[1:]]
    heading = (f" b/{path}", f'"b/{path}"')
    return "\n".join(part for part in parts if part.partition("\n")[0].endswith(heading))
