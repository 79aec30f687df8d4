"""Requests about runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.client.calls.call import Call, Repeat, get, given, post
from contexten.errors import UsageError
from contexten.protocol import (
    AgentRun,
    AgentRunDetail,
    AgentRunDiff,
    AgentRunWithLogs,
    CreateAgentRunInput,
    Page,
    ResumeAgentRunInput,
    SearchResults,
    StopAgentRunInput,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN = "/v1/organizations/{org}/agent/run"
RUNS = "/v1/organizations/{org}/agent/runs"
_BETA_RUN = "/v1/beta/organizations/{org}/agent/run"
_LOGS = "/v1/alpha/organizations/{org}/agent/run"
_CHOICES = frozenset({"user_id", "source_type", "status", "engine", "repo_id", "before_id"})
_DETAIL = frozenset({"prompt", "engine"})


def read_run(data: Any) -> AgentRun:
    """A run as an `AgentRunDetail` when the server is one that tells so much, else as an `AgentRun`."""
    detailed = isinstance(data, dict) and data.keys() >= _DETAIL
    return (AgentRunDetail if detailed else AgentRun).model_validate(data)


def _read_runs(data: Any) -> Page[AgentRun]:
    page = Page[Any].model_validate(data)
    return Page[AgentRun].model_construct(**{**dict(page), "items": [read_run(item) for item in page.items]})


def create(prompt: str, **options: Any) -> Call[AgentRun]:
    """Start a run."""
    body = given(CreateAgentRunInput, prompt=written(prompt), **options)
    return _run_call(post(RUN, AgentRun, body, repeat=Repeat.AGREED))


def show(run_id: int | str) -> Call[AgentRun]:
    """One run."""
    return _run_call(get(f"{RUN}/{number(run_id)}", AgentRun))


def page(*, skip: int = 0, limit: int = 100, **chosen: Any) -> Call[Page[AgentRun]]:
    """A part of the list of runs, newest first.

    Raises:
        UsageError: the runs are chosen by something that they do not have.
    """
    if unknown := chosen.keys() - _CHOICES:
        raise UsageError(f"Runs are not chosen by {min(unknown)!r}. Known: {', '.join(sorted(_CHOICES))}.")
    call = get(RUNS, Any, skip=skip, limit=limit, **chosen)
    return Call(call.method, call.path, _read_runs, call.query)


def logs(run_id: int | str, *, skip: int = 0, limit: int = 100, reverse: bool = False) -> Call[AgentRunWithLogs]:
    """A part of a run's log, oldest first unless reversed."""
    path = f"{_LOGS}/{number(run_id)}/logs"
    return get(path, AgentRunWithLogs, skip=skip, limit=limit, reverse="true" if reverse else "false")


def diff(run_id: int | str) -> Call[AgentRunDiff]:
    """What a run changed."""
    return get(f"{RUN}/{number(run_id)}/diff", AgentRunDiff)


def resume(run_id: int | str, prompt: str, images: Sequence[str] | None = None) -> Call[AgentRun]:
    """Say something more to a run that has ended."""
    body = given(
        ResumeAgentRunInput,
        agent_run_id=number(run_id),
        prompt=written(prompt),
        images=None if images is None else list(images),
    )
    return _run_call(post(f"{RUN}/resume", AgentRun, body))


def cancel(run_id: int | str) -> Call[AgentRun]:
    """Stop a run."""
    body = given(StopAgentRunInput, agent_run_id=number(run_id))
    return _run_call(post(f"{_BETA_RUN}/stop", AgentRun, body, repeat=Repeat.ALWAYS))


def delete(run_id: int | str) -> Call[AgentRun]:
    """Forget a run that has ended."""
    return Call("DELETE", f"{RUN}/{number(run_id)}", read_run)


def ban(run_id: int | str, action: str) -> Call[Any]:
    """Ban a run's checks, unban them, or remove it from its pull request: `ban`, `unban`, `remove-from-pr`."""
    body = given(StopAgentRunInput, agent_run_id=number(run_id))
    return post(f"{RUN}/{action}", Any, body, repeat=Repeat.ALWAYS)


def search(text: str, *, limit: int = 20, cursor: str | None = None) -> Call[SearchResults]:
    """Runs whose prompt, result or log contains a text."""
    return get(f"{RUNS}/search", SearchResults, q=text, limit=limit, cursor=cursor)


def number(run_id: int | str) -> int:
    """A run's id.

    Raises:
        UsageError: it is not a positive number.
    """
    if isinstance(run_id, str) and run_id.isascii() and run_id.isdigit():
        run_id = int(run_id)
    if isinstance(run_id, bool) or not isinstance(run_id, int) or run_id < 1:
        raise UsageError(f"The run's id is {run_id!r}: it must be a positive whole number.")
    return run_id


def written(prompt: str) -> str:
    """A prompt that says something.

    Raises:
        UsageError: it is empty or not text.
    """
    if not isinstance(prompt, str):
        raise UsageError(f"The prompt is a {type(prompt).__name__}: it must be text.")
    if not prompt.strip():
        raise UsageError("The prompt is empty: say what the run shall do.")
    return prompt


def _run_call(call: Call[Any]) -> Call[AgentRun]:
    return Call(call.method, call.path, read_run, call.query, call.body, call.repeat)
