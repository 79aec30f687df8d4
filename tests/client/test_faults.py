"""What networks and servers do to requests, and what the client makes of it."""

import asyncio
import json
import logging
import socket
import time
import traceback

import httpx2
import pytest

from contexten import AsyncCodegenClient, CodegenClient, errors
from contexten.resilience import Breaker, Policy, Retry
from fault_proxy import Answer, Drip, Lose, Pass, Raw, Reset, Silence
from hosted_server import ORG, TOKEN, http_date

BUSY = Answer(503)


def slow_down(**headers):
    return Answer(429, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (slow_down(Retry_After="3"), (3, 3)),
        (slow_down(Retry_After="2.5"), (2.5, 2.5)),
        (slow_down(retry_after_ms="1250"), (1.25, 1.25)),
        (slow_down(Retry_After=http_date(1_000_020), Date=http_date(1_000_000)), (20, 20)),
        (slow_down(Retry_After=http_date(1_000_000), Date=http_date(1_000_020)), (0.37, 0.5)),
        (slow_down(Retry_After="60"), (60, 60)),
        (slow_down(Retry_After="nonsense"), (0.37, 0.5)),
        (slow_down(Retry_After="-5"), (0.37, 0.5)),
        (slow_down(Retry_After="nan"), (0.37, 0.5)),
        (slow_down(), (0.37, 0.5)),
        (BUSY, (0.37, 0.5)),
        (Answer(408), (0.37, 0.5)),
        (Answer(409), (0.37, 0.5)),
        (Answer(400, headers={"x-should-retry": "true"}), (0.37, 0.5)),
        (Reset(), (0.37, 0.5)),
        (Raw(b""), (0.37, 0.5)),
        (Raw(b"garbage\r\n\r\n"), (0.37, 0.5)),
        (Pass(cut=1), (0.37, 0.5)),
        (Pass(cut=150), (0.37, 0.5)),
        (Pass(cut=150, reset=False), (0.37, 0.5)),
    ],
    ids=str,
)
def test_a_passing_fault_is_waited_out(hosted, proxies, clients, fault, waits):
    proxy = proxies(hosted.base_url, [fault])
    client = clients(proxy.base_url)
    assert client.me().github_username == "dev"
    assert len(proxy.requests) == 2
    [waited] = client.policy.clock.sleeps
    assert waits[0] <= waited <= waits[1]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Answer(400), errors.BadRequestError),
        (Answer(401), errors.AuthenticationError),
        (Answer(402, b'{"message": "Run limit reached", "status_code": 402}'), errors.RunLimitError),
        (Answer(403), errors.PermissionDeniedError),
        (Answer(404), errors.NotFoundError),
        (Answer(409, headers={"X-Should-Retry": "false"}), errors.ConflictError),
        (Answer(418), errors.StatusError),
        (Answer(422, b'{"detail": [{"loc": ["body", "prompt"], "msg": "too long"}]}'), errors.InvalidInputError),
        (Answer(503, headers={"x-should-retry": "false"}), errors.ServerError),
        (slow_down(Retry_After="61"), errors.RateLimitError),
        (slow_down(Retry_After="259200"), errors.RateLimitError),
        (Answer(302, headers={"Location": "http://evil.example/"}), errors.StatusError),
        (Answer(200, b"<html>hello</html>"), errors.ResponseDecodingError),
        (Answer(200, b'{"id": 1, "github_user'), errors.ResponseDecodingError),
        (Answer(200, b'{"id": "many", "github_user_id": 7}'), errors.ResponseDecodingError),
        (Answer(200, b"[1, 2]"), errors.ResponseDecodingError),
        (Answer(200, b""), errors.ResponseDecodingError),
        (Answer(200, b"\xff\xfe\x00"), errors.ResponseDecodingError),
        (Answer(200, b"not gzip", {"Content-Encoding": "gzip"}), errors.ResponseDecodingError),
        (Answer(200, b"[" * 100_000), errors.ResponseDecodingError),
        (Answer(200, b"hello", {"Content-Type": "text/plain; charset=rot13"}), errors.ResponseDecodingError),
        (Answer(404, b'{"a":' * 100_000), errors.NotFoundError),
        (Answer(404, b"hello", {"Content-Type": "text/plain; charset=base64"}), errors.NotFoundError),
        (Answer(422, b'{"detail": [{"loc": 5, "msg": null}, {"msg": "x"}, 7]}'), errors.InvalidInputError),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_lasting_fault_is_raised_at_once(proxies, clients, clock, fault, kind):
    proxy = proxies(None, then=fault)
    with pytest.raises(kind) as caught:
        clients(proxy.base_url).me()
    assert len(proxy.requests) == 1
    assert clock.sleeps == []
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))


def test_errors_carry_what_the_server_said(proxies, clients):
    body = {"message": "Slow down, please", "status_code": 429}
    headers = {"X-Request-Id": "req-7", "Retry-After": "259200"}
    proxy = proxies(None, then=Answer(429, json.dumps(body).encode(), headers))
    with pytest.raises(errors.RateLimitError, match="Slow down, please") as caught:
        clients(proxy.base_url).me()
    error = caught.value
    assert (error.status_code, error.body, error.request_id, error.retry_after) == (429, body, "req-7", 259200)


def test_what_does_not_pass_is_raised_after_two_retries(proxies, clients, clock):
    proxy = proxies(None, then=BUSY)
    with pytest.raises(errors.ServerError):
        clients(proxy.base_url).me()
    assert len(proxy.requests) == 3
    assert 0.37 <= clock.sleeps[0] <= 0.5
    assert 0.75 <= clock.sleeps[1] <= 1.0


def test_nothing_is_retried_when_told_so(proxies, clock):
    proxy = proxies(None, then=BUSY)
    with (
        CodegenClient(TOKEN, ORG, proxy.base_url, max_retries=0) as client,
        pytest.raises(errors.ServerError),
    ):
        client.me()
    assert len(proxy.requests) == 1


class TestCreates:
    """A run must never be started twice by accident."""

    @pytest.mark.parametrize("fault", [Lose(), Reset(), BUSY, Answer(409), Answer(408), Pass(cut=30)], ids=str)
    def test_a_hosted_server_is_not_asked_twice_when_it_may_have_acted(self, hosted, proxies, clients, fault):
        proxy = proxies(hosted.base_url, [fault])
        with pytest.raises(errors.ApiError):
            clients(proxy.base_url).run("x")
        assert [request for request in proxy.requests if request.startswith(b"POST")] == proxy.requests[:1]
        assert len(hosted.runs) <= 1

    @pytest.mark.parametrize("status", [429, 503, 409])
    def test_it_is_asked_again_when_it_surely_has_not(self, hosted, proxies, clients, status):
        headers = {"Retry-After": "1"} if status == 429 else {"x-should-retry": "true"}
        refusal = Answer(status, headers=headers)
        proxy = proxies(hosted.base_url, [refusal, Pass(), refusal])
        client = clients(proxy.base_url)
        run = client.create_agent_run("x")
        client.resume_agent_run(run.id, "y")
        assert len(hosted.runs) == 1
        assert len(proxy.requests) == 4

    def test_a_connection_that_was_never_made_is_tried_again(self, clients, clock):
        with socket.socket() as taken:  # and nobody listens
            taken.bind(("127.0.0.1", 0))
            client = clients(f"http://127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(errors.ConnectError, match="contexten up"):
                client.run("x")
        assert len(clock.sleeps) == 2

    def test_every_create_carries_its_own_key(self, hosted, clients):
        client = clients(hosted.base_url)
        client.run("x")
        client.run("x", idempotency_key="mine")
        keys = [headers["idempotency-key"] for method, _, headers in hosted.requests if method == "POST"]
        assert keys[1] == "mine" != keys[0]
        assert len(keys[0]) >= 32


class TestTime:
    """Nothing hangs."""

    @pytest.mark.parametrize("fault", [Silence(), Drip(), Drip(head=True)], ids=str)
    def test_an_attempt_ends_in_time(self, proxies, clients, fault):
        proxy = proxies(None, then=fault)
        client = clients(proxy.base_url, timeout=0.2, policy=Policy(retry=Retry(retries=0)))
        started = time.monotonic()
        with pytest.raises(errors.RequestTimeoutError, match=r"did not answer within 0\.2 s"):
            client.me()
        assert time.monotonic() - started < 100

    @pytest.mark.parametrize("fault", [Silence(), Drip(), Drip(head=True)], ids=str)
    def test_an_attempt_of_the_twin_ends_in_time(self, proxies, fault):
        proxy = proxies(None, then=fault)

        async def main():
            async with AsyncCodegenClient(TOKEN, ORG, proxy.base_url, timeout=0.2, max_retries=0) as client:
                with pytest.raises(errors.RequestTimeoutError):
                    await client.me()

        asyncio.run(main())

    def test_a_deadline_holds_for_all_attempts_together(self, proxies, clients, clock):
        proxy = proxies(None, then=slow_down(Retry_After="20"))
        with pytest.raises(errors.RateLimitError):
            clients(proxy.base_url, deadline=30).me()
        assert clock.sleeps == [20]

    def test_a_sleep_is_cancelled_at_once(self, proxies):
        proxy = proxies(None, then=slow_down(Retry_After="50"))

        async def main():
            async with AsyncCodegenClient(TOKEN, ORG, proxy.base_url) as client:
                waiting = asyncio.create_task(client.me())
                await proxy.asked()
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting

        started = time.monotonic()
        asyncio.run(main())
        assert time.monotonic() - started < 100


def test_a_dead_server_is_left_alone(proxies, clients, clock):
    proxy = proxies(None, then=BUSY)
    client = clients(proxy.base_url, policy=Policy(retry=Retry(retries=0), breaker=Breaker(clock=clock), clock=clock))
    for _ in range(200):
        with pytest.raises(errors.ApiError):
            client.me()
    assert len(proxy.requests) == 8
    with pytest.raises(errors.CircuitOpenError, match=r"left alone for another 10\.0 s") as caught:
        client.me()
    assert caught.value.retry_after == 10


def test_names_that_do_not_resolve(clients):
    with pytest.raises(errors.ConnectError, match=r"No server answers at http://nowhere\.invalid"):
        clients("http://nowhere.invalid").me()


def test_the_same_faults_for_the_twin(hosted, proxies, aclient, clock):
    faults = [Reset(), Answer(200, b"{}"), slow_down(Retry_After="7"), BUSY, Pass(), Pass(cut=100), Raw(b"?"), Pass()]
    proxy = proxies(hosted.base_url, [*faults, Lose()])

    async def main():
        async with aclient(proxy.base_url) as client:
            with pytest.raises(errors.ResponseDecodingError):
                await client.me()
            for _ in range(2):
                await client.me()
            with pytest.raises(errors.ConnectionLostError):
                await client.run("x")

    asyncio.run(main())
    assert 7 in clock.sleeps
    assert len(hosted.runs) == 1


def test_middleware_sees_every_attempt(hosted, proxies, clients):
    seen = []

    def outer(request, send):
        request.headers["X-Trace"] = "abc"
        response = send(request)
        seen.append(("outer", response.status_code))
        return response

    def inner(request, send):
        seen.append(("inner", request.headers["X-Trace"]))
        return send(request)

    proxy = proxies(hosted.base_url, [BUSY])
    clients(proxy.base_url, middleware=[outer, inner]).me()
    assert seen == [("inner", "abc"), ("outer", 503), ("inner", "abc"), ("outer", 200)]
    assert all(b"abc" in request for request in proxy.requests)


def test_middleware_may_answer_by_itself(hosted, clients):
    made_up = [httpx2.Response(418, json={"message": "short and stout"}), httpx2.Response(503)]
    client = clients(hosted.base_url, middleware=[lambda request, send: made_up.pop() if made_up else send(request)])
    with pytest.raises(errors.StatusError, match="short and stout"):
        client.me()
    assert client.me().id

    async def answer(request, send):
        return httpx2.Response(418, json={"message": "short and stout"})

    async def main():
        async with AsyncCodegenClient(TOKEN, ORG, hosted.base_url, middleware=[answer]) as twin:
            await twin.me()

    with pytest.raises(errors.StatusError, match="short and stout"):
        asyncio.run(main())


def test_raw_requests_have_the_same_policy(hosted, proxies, clients):
    proxy = proxies(hosted.base_url, [BUSY])
    client = clients(proxy.base_url)
    response = client.request("GET", "/v1/organizations/{org}/agent/runs", params={"skip": 0, "limit": 1})
    assert (response.status_code, response.json()["total"]) == (200, 0)
    with pytest.raises(errors.NotFoundError):
        client.request("POST", "/v1/nothing", json={})
    for path in ("http://evil.example/", "//evil.example/", "v1/users/me"):
        with pytest.raises(errors.UsageError, match="path"):
            client.request("GET", path)


def test_the_token_is_never_shown(proxies, clients, caplog):
    caplog.set_level(logging.DEBUG)
    proxy = proxies(None, [Reset()], then=Answer(500))
    client = clients(proxy.base_url)
    with pytest.raises(errors.ServerError) as caught:
        client.me()
    assert TOKEN in proxy.requests[0].decode()
    shown = [caplog.text, repr(client), repr(caught.value), "".join(traceback.format_exception(caught.value))]
    assert not [text for text in shown if TOKEN in text]


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, f'{{"message": "You sent Bearer {TOKEN}"}}'), (404, f"<p>Bearer {TOKEN}</p>"), (200, f"Bearer {TOKEN}")],
)
def test_a_server_that_repeats_the_token_does_not_have_it_shown(proxies, clients, status, body):
    proxy = proxies(None, then=Answer(status, body.encode()))
    with pytest.raises(errors.ApiError, match="hidden") as caught:
        clients(proxy.base_url).me()
    assert TOKEN not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))


def test_names_that_do_not_resolve_for_the_twin(aclient):
    async def main():
        async with aclient("http://nowhere.invalid") as client:
            await client.me()

    with pytest.raises(errors.ConnectError, match=r"No server answers at http://nowhere\.invalid"):
        asyncio.run(main())


def test_proxies_of_the_environment_are_not_used_for_this_machine(hosted, clients, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert clients(hosted.base_url).me().id == 1
