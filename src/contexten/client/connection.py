"""Sends requests to one server, synchronously: pool, policy and middleware put together."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2

from contexten.client import answers, exchange
from contexten.client.calls import people
from contexten.client.deadline import Body, ending_at
from contexten.client.exchange import Server
from contexten.client.organization import only_one, wanted
from contexten.client.pool import Pool
from contexten.errors import ApiError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contexten.client.address import Address
    from contexten.client.calls.call import Call, T
    from contexten.resilience import Policy, Retry
    from contexten.resilience.policy import Attempts

    Send = Callable[[httpx2.Request], httpx2.Response]
    Middleware = Callable[[httpx2.Request, Send], httpx2.Response]


class Connection:
    """One server as seen by one synchronous client. Threads may share it."""

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
        self._pool = Pool(address.base_url, ssl_context)

    def send(self, call: Call[T], org_id: int | str | None = None, **options: Any) -> T:
        """Make a call and read its result; see `exchange` for the options."""
        response, data = self.exchange(call, org_id, **options)
        return answers.result(call, response, data)

    def exchange(  # noqa: PLR0913 - what may differ from call to call, each by name
        self,
        call: Call[Any],
        org_id: int | str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        retry: Retry | None = None,
        within: float | None = None,
    ) -> tuple[httpx2.Response, Any]:
        """Make a call; the answer and its decoded body.

        Args:
            call: what to send.
            org_id: organization, when it is not the client's own.
            headers: to send beside the usual ones.
            idempotency_key: names this creation, when the caller wants to repeat it later.
            retry: how often and how fast to repeat, when it is not as the policy says.
            within: seconds that it may take with all repetitions, when those are fewer than the client's deadline.
        """
        organization = self.organization(org_id) if call.needs_organization else None
        sent = exchange.headers(self.token, call, idempotency_key, headers)
        return self.policy.call(
            partial(self._attempt, call, exchange.path_of(call, organization), sent),
            key=self.server.host,
            judge=exchange.judge_for(call, self.server),
            deadline=within if self.deadline is None else exchange.shorter(self.deadline, within),
            retry=retry,
        )

    def organization(self, org_id: int | str | None = None) -> int:
        """The organization of a request: the one named, the client's own, or the only one that the token reaches."""
        if (named := wanted(org_id, self._org_id)) is not None:
            return named
        self._org_id = only_one(self.send(people.organizations()))
        return self._org_id

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str], attempts: Attempts) -> Iterator[httpx2.Response]:
        """Open an event stream; its errors come out as those of the API."""
        http = self._http()
        sent = exchange.headers(self.token, exchange.STREAM, more=headers)
        left = attempts.left()
        seconds, now = exchange.shorter(self.timeout, left), time.monotonic()
        limits = httpx2.Timeout(seconds, read=exchange.SILENCE)
        request = http.build_request("GET", path, headers=sent, timeout=limits)
        with attempts.enter(), ending_at(now + seconds):
            response = self._routed(request, partial(http.send, stream=True), seconds)
            self._accept_stream(response)
        response.stream = Body(response.stream, None if left is None else now + left)
        try:
            yield response
        except httpx2.HTTPError as error:
            attempts.left()
            raise answers.failure(error, self.server, exchange.SILENCE) from error
        finally:
            response.close()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _attempt(
        self, call: Call[Any], path: str, sent: Mapping[str, str], left: float | None
    ) -> tuple[httpx2.Response, Any]:
        seconds = exchange.shorter(self.timeout, left)
        http = self._http()
        request = exchange.build(http, call, path, sent, seconds)
        try:
            response = self._routed(request, partial(_transmit, http, time.monotonic() + seconds), seconds)
            self.server.learn(response)
            answers.check(response)
            return response, answers.decoded(response)
        except ApiError as error:
            if exchange.needs_probe(call, self.server, error):
                self._probe()
            raise

    def _http(self) -> httpx2.Client:
        if self.server.has_moved():
            self._pool.move(self.server.base_url)
        return self._pool.client()

    def _routed(self, request: httpx2.Request, send: Send, seconds: float) -> httpx2.Response:
        for middleware in reversed(self._middleware):
            send = partial(_through, middleware, send)
        try:
            return answers.to(request, send(request))
        except httpx2.HTTPError as error:
            raise answers.failure(error, self.server, seconds) from error

    def _accept_stream(self, response: httpx2.Response) -> None:
        self.server.learn(response)
        try:
            if not answers.is_event_stream(response):
                response.read()
                answers.refuse_stream(response, self.server)
        except httpx2.HTTPError as error:
            raise answers.failure(error, self.server, self.timeout) from error
        except BaseException:
            response.close()
            raise

    def _probe(self) -> None:
        try:
            self._attempt(exchange.PROBE, exchange.PROBE.path, {}, self.timeout)
        except ApiError:
            return


def _through(middleware: Middleware, send: Send, request: httpx2.Request) -> httpx2.Response:
    return middleware(request, send)


def _transmit(http: httpx2.Client, ends: float, request: httpx2.Request) -> httpx2.Response:
    with ending_at(ends):
        return http.send(request)
