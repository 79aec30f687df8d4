"""Runs, in both twins: start, look at, list, search, resume, cancel, delete."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from contexten.client.base import PAGE, AsyncCalls, Calls, alog_of, log_of
from contexten.client.calls import runs

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from contexten.protocol import AgentRun, AgentRunDiff, AgentRunWithLogs, LogEntry, Page, SearchHit, SearchResults
    from contexten.resilience import Retry

Org = int | str | None


class RunOptions(TypedDict, total=False):
    """What may be said about a run beside its prompt. A hosted Codegen ignores `engine` and `timeout`."""

    repo_id: int | None
    """Repository to work on; the first one when absent."""
    model: str | None
    """Model as provider:name; the server's default when absent."""
    images: Sequence[str] | None
    """Data URIs of images for the agent."""
    metadata: dict[str, Any] | None
    """Any JSON object, kept with the run."""
    agent_type: Literal["codegen", "claude_code"] | None
    engine: str | None
    """Engine by name; the server's default when absent."""
    timeout: float | None
    """Seconds that the run may take; the server's limit when absent."""
    idempotency_key: str | None
    """Names this creation: with the same key and the same values there is one run, however often it is asked for."""
    org_id: int | str | None
    """Organization, when it is not the client's own."""
    retry: Retry | None
    """How often and how fast the creation is repeated, when it is not as the client's policy says."""


class RunChoice(TypedDict, total=False):
    """Which runs are listed: those that are all of what is given. A hosted Codegen knows the first two alone."""

    user_id: int | None
    """Of this user."""
    source_type: str | None
    """That came from here, such as `API`."""
    status: str | Sequence[str] | None
    """With this status, or one of these."""
    engine: str | None
    """Of this engine."""
    repo_id: int | None
    """On this repository."""
    before_id: int | None
    """Older than this run. Does not change the total."""


class RunCalls(Calls):
    """Requests about runs."""

    def create_agent_run(self, prompt: str, **options: Unpack[RunOptions]) -> AgentRun:
        """Start a run.

        Raises:
            UsageError: the prompt is empty or an option cannot be used; nothing was sent.
        """
        org_id, sent = options.pop("org_id", None), _sending(options)
        return self._send(runs.create(prompt, **options), org_id, **sent)

    def get_agent_run(self, run_id: int, *, org_id: Org = None) -> AgentRun:
        """A run as it stands."""
        return self._send(runs.show(run_id), org_id)

    def list_agent_runs(
        self, *, skip: int = 0, limit: int = 100, org_id: Org = None, **chosen: Unpack[RunChoice]
    ) -> Page[AgentRun]:
        """A page of the runs, newest first."""
        return self._send(runs.page(skip=skip, limit=limit, **chosen), org_id)

    def iter_agent_runs(self, *, org_id: Org = None, **chosen: Unpack[RunChoice]) -> Iterator[AgentRun]:
        """All runs, newest first, each once even while new ones come in."""
        oldest = None
        part = partial(runs.page, **chosen)
        for run in self._pages(lambda skip, limit: part(skip=skip, limit=limit), org_id):
            if oldest is None or run.id < oldest:
                oldest = run.id
                yield run

    def get_agent_run_logs(
        self, run_id: int, *, skip: int = 0, limit: int = 100, reverse: bool = False, org_id: Org = None
    ) -> AgentRunWithLogs:
        """A run with a page of its log, oldest entry first unless reversed."""
        return self._send(runs.logs(run_id, skip=skip, limit=limit, reverse=reverse), org_id)

    def iter_agent_run_logs(self, run_id: int, *, org_id: Org = None) -> Iterator[LogEntry]:
        """The whole log of a run as it stands, oldest entry first."""
        return log_of(self._connection, run_id, org_id)

    def get_agent_run_diff(self, run_id: int, *, org_id: Org = None) -> AgentRunDiff:
        """What a run has changed in its own copy of the repository: a patch and figures. A hosted Codegen cannot say."""
        return self._send(runs.diff(run_id), org_id)

    def resume_agent_run(
        self, run_id: int, prompt: str, images: Sequence[str] | None = None, *, org_id: Org = None
    ) -> AgentRun:
        """Say something more to a run that has ended; it goes on with a new turn."""
        return self._send(runs.resume(run_id, prompt, images), org_id)

    def cancel_agent_run(self, run_id: int, *, org_id: Org = None) -> AgentRun:
        """Stop a run. One that has ended stays as it is."""
        return self._send(runs.cancel(run_id), org_id)

    def delete_agent_run(self, run_id: int, *, org_id: Org = None) -> AgentRun:
        """Delete a run that has ended, with its log; gives it as it was. A hosted Codegen cannot.

        Raises:
            ConflictError: it goes on.
            PermissionDeniedError: it is another user's, and the token is no admin's.
        """
        return self._send(runs.delete(run_id), org_id)

    def ban_agent_run(self, run_id: int, *, org_id: Org = None) -> None:
        """Refuse anything further of a run."""
        self._send(runs.ban(run_id, "ban"), org_id)

    def unban_agent_run(self, run_id: int, *, org_id: Org = None) -> None:
        """Undo `ban_agent_run`."""
        self._send(runs.ban(run_id, "unban"), org_id)

    def remove_agent_run_from_pull_request(self, run_id: int, *, org_id: Org = None) -> None:
        """Take a run off its pull request."""
        self._send(runs.ban(run_id, "remove-from-pr"), org_id)

    def search(self, text: str, *, limit: int = 20, cursor: str | None = None, org_id: Org = None) -> SearchResults:
        """A page of the runs whose prompt, result or log contains a text, newest first."""
        return self._send(runs.search(text, limit=limit, cursor=cursor), org_id)

    def iter_search(self, text: str, *, org_id: Org = None) -> Iterator[SearchHit]:
        """All runs whose prompt, result or log contains a text, newest first."""
        cursor = None
        while True:
            found = self.search(text, limit=PAGE, cursor=cursor, org_id=org_id)
            yield from found.items
            if (cursor := found.next_cursor) is None:
                return


class AsyncRunCalls(AsyncCalls):
    """The twin of `RunCalls`."""

    async def create_agent_run(self, prompt: str, **options: Unpack[RunOptions]) -> AgentRun:
        """Start a run.

        Raises:
            UsageError: the prompt is empty or an option cannot be used; nothing was sent.
        """
        org_id, sent = options.pop("org_id", None), _sending(options)
        return await self._send(runs.create(prompt, **options), org_id, **sent)

    async def get_agent_run(self, run_id: int, *, org_id: Org = None) -> AgentRun:
        """A run as it stands."""
        return await self._send(runs.show(run_id), org_id)

    async def list_agent_runs(
        self, *, skip: int = 0, limit: int = 100, org_id: Org = None, **chosen: Unpack[RunChoice]
    ) -> Page[AgentRun]:
        """A page of the runs, newest first."""
        return await self._send(runs.page(skip=skip, limit=limit, **chosen), org_id)

    async def iter_agent_runs(self, *, org_id: Org = None, **chosen: Unpack[RunChoice]) -> AsyncGenerator[AgentRun]:
        """All runs, newest first, each once even while new ones come in."""
        oldest = None
        part = partial(runs.page, **chosen)
        async for run in self._pages(lambda skip, limit: part(skip=skip, limit=limit), org_id):
            if oldest is None or run.id < oldest:
                oldest = run.id
                yield run

    async def get_agent_run_logs(
        self, run_id: int, *, skip: int = 0, limit: int = 100, reverse: bool = False, org_id: Org = None
    ) -> AgentRunWithLogs:
        """A run with a page of its log, oldest entry first unless reversed."""
        return await self._send(runs.logs(run_id, skip=skip, limit=limit, reverse=reverse), org_id)

    def iter_agent_run_logs(self, run_id: int, *, org_id: Org = None) -> AsyncGenerator[LogEntry]:
        """The whole log of a run as it stands, oldest entry first."""
        return alog_of(self._connection, run_id, org_id)

    async def get_agent_run_diff(self, run_id: int, *, org_id: Org = None) -> AgentRunDiff:
        """What a run has changed in its own copy of the repository: a patch and figures. A hosted Codegen cannot say."""
        return await self._send(runs.diff(run_id), org_id)

    async def resume_agent_run(
        self, run_id: int, prompt: str, images: Sequence[str] | None = None, *, org_id: Org = None
    ) -> AgentRun:
        """Say something more to a run that has ended; it goes on with a new turn."""
        return await self._send(runs.resume(run_id, prompt, images), org_id)

    async def cancel_agent_run(self, run_id: int, *, org_id: Org = None) -> AgentRun:
        """Stop a run. One that has ended stays as it is."""
        return await self._send(runs.cancel(run_id), org_id)

    async def delete_agent_run(self, run_id: int, *, org_id: Org = None) -> AgentRun:
        """Delete a run that has ended, with its log; gives it as it was. A hosted Codegen cannot.

        Raises:
            ConflictError: it goes on.
            PermissionDeniedError: it is another user's, and the token is no admin's.
        """
        return await self._send(runs.delete(run_id), org_id)

    async def ban_agent_run(self, run_id: int, *, org_id: Org = None) -> None:
        """Refuse anything further of a run."""
        await self._send(runs.ban(run_id, "ban"), org_id)

    async def unban_agent_run(self, run_id: int, *, org_id: Org = None) -> None:
        """Undo `ban_agent_run`."""
        await self._send(runs.ban(run_id, "unban"), org_id)

    async def remove_agent_run_from_pull_request(self, run_id: int, *, org_id: Org = None) -> None:
        """Take a run off its pull request."""
        await self._send(runs.ban(run_id, "remove-from-pr"), org_id)

    async def search(
        self, text: str, *, limit: int = 20, cursor: str | None = None, org_id: Org = None
    ) -> SearchResults:
        """A page of the runs whose prompt, result or log contains a text, newest first."""
        return await self._send(runs.search(text, limit=limit, cursor=cursor), org_id)

    async def iter_search(self, text: str, *, org_id: Org = None) -> AsyncGenerator[SearchHit]:
        """All runs whose prompt, result or log contains a text, newest first."""
        cursor = None
        while True:
            found = await self.search(text, limit=PAGE, cursor=cursor, org_id=org_id)
            for hit in found.items:
                yield hit
            if (cursor := found.next_cursor) is None:
                return


def _sending(options: RunOptions) -> dict[str, Any]:
    """Those of the options that are about sending the request, taken out of them."""
    return {"idempotency_key": options.pop("idempotency_key", None), "retry": options.pop("retry", None)}
