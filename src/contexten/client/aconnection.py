"""Sends requests to one server, asynchronously: the twin of `connection`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2

from contexten.client import answers, exchange, follow, watch
from contexten.client.apool import AsyncPool
from contexten.client.calls import people
from contexten.client.exchange import Server
from contexten.client.organization import only_one, wanted
from contexten.errors import ApiError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from contexten.client.address import Address
    from contexten.client.calls.call import Call, T
    from contexten.protocol import AgentRun
    from contexten.resilience import Policy, Retry
    from contexten.resilience.policy import Attempts

    Send = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
    Middleware = Callable[[httpx2.Request, Send], Awaitable[httpx2.Response]]


class AsyncConnection:
    """One server as seen by one asynchronous client. Tasks and event loops may share it."""

    def __init__(  # noqa: PLR0913 - the parts of a connection, each by name
        self,
        address: Address,
        *,
        policy: Policy,
        timeout: float,
        deadline: float | None = None,
        middleware: Sequence[Middleware] = (),
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy, self.timeout, self.deadline = policy, timeout, deadline
        self.server = Server(address.base_url, True if address.local else None, address.found_in)
        self.token, self._org_id = address.token, address.org_id
        self._middleware = tuple(middleware)
        self._pool = AsyncPool(address.base_url, ssl_context)
        self._waits = 0
        self._watches: dict[tuple[asyncio.AbstractEventLoop, int], watch.Watch] = {}

    async def send(self, call: Call[T], org_id: int | str | None = None, **options: Any) -> T:
        """Make a call and read its result; see `exchange` for the options."""
        response, data = await self.exchange(call, org_id, **options)
        return answers.result(call, response, data)

    async def exchange(
        self,
        call: Call[Any],
        org_id: int | str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        retry: Retry | None = None,
    ) -> tuple[httpx2.Response, Any]:
        """Make a call; the answer and its decoded body. See `Connection.exchange`."""
        organization = await self.organization(org_id) if call.needs_organization else None
        sent = exchange.headers(self.token, call, idempotency_key, headers)
        return await self.policy.acall(
            partial(self._attempt, call, exchange.path_of(call, organization), sent),
            key=self.server.host,
            judge=exchange.judge_for(call, self.server),
            deadline=self.deadline,
            retry=retry,
        )

    async def organization(self, org_id: int | str | None = None) -> int:
        """The organization of a request: the one named, the client's own, or the only one that the token reaches."""
        if (named := wanted(org_id, self._org_id)) is not None:
            return named
        self._org_id = only_one(await self.send(people.organizations()))
        return self._org_id

    @asynccontextmanager
    async def stream(self, path: str, headers: Mapping[str, str], attempts: Attempts) -> AsyncIterator[httpx2.Response]:
        """Open an event stream; its errors come out as those of the API."""
        http = self._http()
        sent = exchange.headers(self.token, exchange.STREAM, more=headers)
        limits = httpx2.Timeout(self.timeout, read=exchange.SILENCE)
        request = http.build_request("GET", path, headers=sent, timeout=limits)
        with attempts.enter():
            response = await self._routed(request, partial(http.send, stream=True), self.timeout)
            await self._accept_stream(response)
        try:
            yield response
        except httpx2.HTTPError as error:
            raise answers.failure(error, self.server, exchange.SILENCE) from error
        finally:
            await response.aclose()

    async def end_of(self, run: AgentRun) -> follow.End:
        """How a run's newest known turn ended, when it has; many waits at a time listen together."""
        if run.status is not None and run.is_terminal:
            return follow.End(run.status, run.result, run)
        shared = self.watch(run.organization_id)
        self._waits += 1
        try:
            if self._waits <= watch.ALONE and not shared.in_use and self.server.is_ours is not False:
                with suppress(answers.NoEventStreamError):
                    return await follow.alisten_to_end(self, run.organization_id, run.id)
            return await self.watch(run.organization_id).end_of(run)
        finally:
            self._waits -= 1

    def watch(self, org_id: int) -> watch.Watch:
        """What waits for many runs of an organization; enter it to have it listen from before they are created."""
        loop = asyncio.get_running_loop()
        for place, unused in list(self._watches.items()):
            if place[0].is_closed() or (place[0] is loop and not unused.in_use):
                del self._watches[place]
        return self._watches.setdefault((loop, org_id), watch.Watch(self, org_id))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _attempt(
        self, call: Call[Any], path: str, sent: Mapping[str, str], left: float | None
    ) -> tuple[httpx2.Response, Any]:
        seconds = exchange.shorter(self.timeout, left)
        request = exchange.build(self._http(), call, path, sent, seconds)
        try:
            response = await self._routed(request, self._pool.transmit, seconds)
            self.server.learn(response)
            answers.check(response)
            return response, answers.decoded(response)
        except ApiError as error:
            if exchange.needs_probe(call, self.server, error):
                await self._probe()
            raise

    def _http(self) -> httpx2.AsyncClient:
        if self.server.has_moved():
            self._pool.move(self.server.base_url)
        return self._pool.client()

    async def _routed(self, request: httpx2.Request, send: Send, seconds: float) -> httpx2.Response:
        for middleware in reversed(self._middleware):
            send = partial(_through, middleware, send)
        try:
            async with asyncio.timeout(seconds):
                return answers.to(request, await send(request))
        except (httpx2.HTTPError, TimeoutError) as error:
            raise answers.failure(error, self.server, seconds) from error

    async def _accept_stream(self, response: httpx2.Response) -> None:
        self.server.learn(response)
        try:
            if not answers.is_event_stream(response):
                await response.aread()
                answers.refuse_stream(response, self.server)
        except httpx2.HTTPError as error:
            raise answers.failure(error, self.server, self.timeout) from error
        except BaseException:
            await response.aclose()
            raise

    async def _probe(self) -> None:
        try:
            await self._attempt(exchange.PROBE, exchange.PROBE.path, {}, self.timeout)
        except ApiError:
            return


async def _through(middleware: Middleware, send: Send, request: httpx2.Request) -> httpx2.Response:
    return await middleware(request, send)
