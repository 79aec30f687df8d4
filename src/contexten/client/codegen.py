"""The clients: everything the API can do, synchronously and asynchronously, over the same requests and one policy."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, Unpack

from contexten.client import follow
from contexten.client.address import resolve_address
from contexten.client.calls import runs
from contexten.client.calls.call import Call, Repeat, reader
from contexten.client.figures import count_retry, show_breaker
from contexten.client.people import AsyncPeopleCalls, PeopleCalls
from contexten.client.platform import AsyncPlatformCalls, PlatformCalls
from contexten.client.repositories import AsyncRepositoryCalls, RepositoryCalls
from contexten.client.runs import AsyncRunCalls, RunCalls
from contexten.client.task import AgentTask, AsyncAgentTask
from contexten.client.workflows import AsyncWorkflowCalls, WorkflowCalls
from contexten.errors import UsageError
from contexten.resilience import Breaker, Policy, Retry

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence

    import httpx2
    from pydantic import SecretStr

    from contexten.client import aconnection, connection
    from contexten.client.follow import End, Watching
    from contexten.client.runs import RunOptions
    from contexten.protocol import AgentRun, LiveEvent, RunEvent

TIMEOUT = 60.0
"""Seconds that one attempt of a request may take."""
_YEAR = 366 * 86400.0
Org = int | str | None


class CodegenClient(RunCalls, WorkflowCalls, RepositoryCalls, PeopleCalls, PlatformCalls):
    """A server that speaks the Codegen API. With nothing given, the local one is found by itself.

    A context manager; threads may share it.

    Args:
        token: bearer token; else CODEGEN_API_TOKEN, else the local server's.
        org_id: organization of every request; else CODEGEN_ORG_ID, else the one that the token belongs to.
        base_url: address with or without `/v1`; else CODEGEN_BASE_URL, else the local server's.
        timeout: seconds that one attempt of a request may take.
        deadline: seconds that a request may take with all repetitions; None sets no limit.
        max_retries: repetitions of a request after answers that may pass, and as many after broken connections;
            2 unless the policy says otherwise.
        policy: retry, breaker and rate limit in full, instead of `max_retries`.
        middleware: called around each attempt as `middleware(request, send)`, the first one outermost.
        ssl_context: whom to trust, instead of the usual authorities.

    Raises:
        UsageError: a value cannot be meant, or there is no token.
    """

    def __init__(  # noqa: PLR0913 - the documented three, and what may be tuned by name
        self,
        token: str | SecretStr | None = None,
        org_id: Org = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        *,
        deadline: float | None = None,
        max_retries: int | None = None,
        policy: Policy | None = None,
        middleware: Sequence[connection.Middleware] = (),
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        from contexten.client.connection import Connection

        self._connection = Connection(
            resolve_address(token, org_id, base_url),
            policy=_policy(policy, max_retries),
            timeout=_seconds("timeout", timeout),
            deadline=None if deadline is None else _seconds("deadline", deadline),
            middleware=middleware,
            ssl_context=ssl_context,
        )

    @property
    def base_url(self) -> str:
        """The server's address without `/v1`."""
        return self._connection.server.base_url

    @property
    def host(self) -> str:
        """The server's host and port, by which breakers and metrics know it."""
        return self._connection.server.host

    @property
    def org_id(self) -> int:
        """The organization of requests; asked for once when it was not given."""
        return self._connection.organization()

    @property
    def token(self) -> SecretStr:
        """The bearer token, hidden from prints and logs."""
        return self._connection.token

    @property
    def policy(self) -> Policy:
        """How requests are repeated, refused and slowed down."""
        return self._connection.policy

    def run(self, prompt: str, **options: Unpack[RunOptions]) -> AgentTask:
        """Start a run and take it in hand."""
        return AgentTask(self._connection, self.create_agent_run(prompt, **options))

    def task(self, run_id: int, *, org_id: Org = None) -> AgentTask:
        """Take a run in hand that was started before."""
        return AgentTask(self._connection, self.get_agent_run(run_id, org_id=org_id))

    def events(
        self, *, after: int | None = None, org_id: Org = None, **watching: Unpack[Watching]
    ) -> Iterator[LiveEvent]:
        """What happens to all runs and workflows of the organization, live and without end, from now or after an event.

        Raises:
            ApiError: the server has no event streams (a hosted Codegen), or stays away for longer than `retry` waits.
        """
        organization = self._connection.organization(org_id)
        return follow.follow_organization(self._connection, organization, after, **watching)

    def run_events(
        self,
        run_id: int,
        *,
        after: int | None = None,
        on_partial: Callable[[str], None] | None = None,
        org_id: Org = None,
    ) -> Iterator[RunEvent]:
        """What happens to a run, live, until its newest turn ends.

        Args:
            run_id: the run.
            after: id of the last event that is known already.
            on_partial: given text that the run is still saying, all of it so far; the next event takes its place.
            org_id: organization, when it is not the client's own.
        """
        organization = self._connection.organization(org_id)
        number = runs.number(run_id)
        return follow.follow_run(self._connection, organization, number, after, on_partial=on_partial)

    def request(  # noqa: PLR0913 - a request's parts, each by name
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        org_id: Org = None,
    ) -> httpx2.Response:
        """Any request of the server, with the policy and the errors of the others; the answer as it came.

        `{org}` in the path stands for the organization. Only GET, HEAD, PUT and DELETE are repeated.
        """
        return self._connection.exchange(_raw(method, path, params, json), org_id, headers=headers)[0]

    def close(self) -> None:
        """Close all connections. The client cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CodegenClient {self.base_url}>"


class AsyncCodegenClient(AsyncRunCalls, AsyncWorkflowCalls, AsyncRepositoryCalls, AsyncPeopleCalls, AsyncPlatformCalls):
    """The twin of `CodegenClient` for asyncio; see there. An asynchronous context manager.

    It may be used from one event loop after another; each gets its own connections.
    """

    def __init__(  # noqa: PLR0913 - the documented three, and what may be tuned by name
        self,
        token: str | SecretStr | None = None,
        org_id: Org = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        *,
        deadline: float | None = None,
        max_retries: int | None = None,
        policy: Policy | None = None,
        middleware: Sequence[aconnection.Middleware] = (),
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        from contexten.client.aconnection import AsyncConnection

        self._connection = AsyncConnection(
            resolve_address(token, org_id, base_url),
            policy=_policy(policy, max_retries),
            timeout=_seconds("timeout", timeout),
            deadline=None if deadline is None else _seconds("deadline", deadline),
            middleware=middleware,
            ssl_context=ssl_context,
        )

    @property
    def base_url(self) -> str:
        """The server's address without `/v1`."""
        return self._connection.server.base_url

    @property
    def host(self) -> str:
        """The server's host and port, by which breakers and metrics know it."""
        return self._connection.server.host

    @property
    def token(self) -> SecretStr:
        """The bearer token, hidden from prints and logs."""
        return self._connection.token

    @property
    def policy(self) -> Policy:
        """How requests are repeated, refused and slowed down."""
        return self._connection.policy

    async def organization(self) -> int:
        """The organization of requests; asked for once when it was not given."""
        return await self._connection.organization()

    async def run(self, prompt: str, **options: Unpack[RunOptions]) -> AsyncAgentTask:
        """Start a run and take it in hand."""
        return AsyncAgentTask(self._connection, await self.create_agent_run(prompt, **options))

    async def task(self, run_id: int, *, org_id: Org = None) -> AsyncAgentTask:
        """Take a run in hand that was started before."""
        return AsyncAgentTask(self._connection, await self.get_agent_run(run_id, org_id=org_id))

    async def events(
        self, *, after: int | None = None, org_id: Org = None, **watching: Unpack[Watching]
    ) -> AsyncGenerator[LiveEvent]:
        """What happens to all runs and workflows of the organization, live and without end, from now or after an event.

        Raises:
            ApiError: the server has no event streams (a hosted Codegen), or stays away for longer than `retry` waits.
        """
        organization = await self._connection.organization(org_id)
        async with aclosing(follow.afollow_organization(self._connection, organization, after, **watching)) as events:
            async for event in events:
                yield event

    async def end_of(self, run: AgentRun) -> End:
        """Wait until a run that was created or fetched has ended; its status and result.

        Many waits at a time share one event stream, or one question where the server has none.

        Raises:
            ApiError: the server cannot be reached any more, or does not know the run.
        """
        return await self._connection.end_of(run)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Keep one event stream of the organization open for all `end_of` and `wait` inside the block."""
        async with self._connection.watch(await self._connection.organization()):
            yield

    async def run_events(
        self,
        run_id: int,
        *,
        after: int | None = None,
        on_partial: Callable[[str], None] | None = None,
        org_id: Org = None,
    ) -> AsyncGenerator[RunEvent]:
        """What happens to a run, live, until its newest turn ends.

        Args:
            run_id: the run.
            after: id of the last event that is known already.
            on_partial: given text that the run is still saying, all of it so far; the next event takes its place.
            org_id: organization, when it is not the client's own.
        """
        organization = await self._connection.organization(org_id)
        number = runs.number(run_id)
        following = follow.afollow_run(self._connection, organization, number, after, on_partial)
        async with aclosing(following) as events:
            async for event in events:
                yield event

    async def request(  # noqa: PLR0913 - a request's parts, each by name
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        org_id: Org = None,
    ) -> httpx2.Response:
        """Any request of the server, with the policy and the errors of the others; the answer as it came.

        `{org}` in the path stands for the organization. Only GET, HEAD, PUT and DELETE are repeated.
        """
        return (await self._connection.exchange(_raw(method, path, params, json), org_id, headers=headers))[0]

    async def aclose(self) -> None:
        """Close all connections. The client cannot be used afterwards."""
        await self._connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncCodegenClient {self.base_url}>"


def _policy(policy: Policy | None, max_retries: int | None) -> Policy:
    if policy is not None and max_retries is not None:
        raise UsageError("Give either policy or max_retries: a policy says how often to retry.")
    if policy is not None:
        return policy
    retry = Retry() if max_retries is None else Retry(retries=max_retries)
    return Policy(retry=retry, breaker=Breaker(on_change=show_breaker), on_retry=count_retry)


def _seconds(name: str, value: float) -> float:
    if not isinstance(value, int | float) or not 0 < value <= _YEAR:
        raise UsageError(f"{name} is {value!r}: it must be a number of seconds above 0, and a year at most.")
    return value


def _raw(method: str, path: str, params: Mapping[str, Any] | None, json: Any) -> Call[Any]:
    if not (method.isascii() and method.isalpha()):
        raise UsageError(f"The method is {method!r}: it must be a word such as GET.")
    if not path.startswith("/") or path.startswith("//"):
        raise UsageError(f"The path is {path!r}: it must start with one slash, such as /v1/users/me.")
    repeat = Repeat.ALWAYS if method.upper() in {"GET", "HEAD", "PUT", "DELETE"} else Repeat.NEVER
    return Call(method.upper(), path, reader(Any), params or {}, json, repeat)
