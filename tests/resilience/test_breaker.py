"""The circuit breaker."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contexten.errors import CircuitOpenError, ConnectError, NotFoundError, ServerError
from contexten.resilience import Breaker, CircuitState, Policy, Retry

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


class FakeClock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    wall = monotonic

    def sleep(self, seconds):
        self.now += seconds

    async def asleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def breaker(clock, changes):
    return Breaker(threshold=3, reset=10, longest=35, clock=clock, on_change=lambda *change: changes.append(change))


def fail(breaker, times=1, key="host"):
    for _ in range(times):
        breaker.enter(key).settle(healthy=False)


def test_failures_in_a_row_open_it(breaker, changes):
    fail(breaker, 2)
    breaker.enter("host").settle(healthy=True)
    fail(breaker, 2)
    assert breaker.state("host") is CLOSED
    fail(breaker)
    assert breaker.state("host") is OPEN
    with pytest.raises(CircuitOpenError, match="host failed 3 times in a row") as caught:
        breaker.enter("host")
    assert caught.value.retry_after == 10
    assert changes == [("host", CLOSED, OPEN)]


def test_keys_are_apart(breaker):
    fail(breaker, 3, "dead")
    breaker.enter("alive").settle(healthy=True)
    assert breaker.state("alive") is CLOSED
    assert breaker.state("never seen") is CLOSED


def test_one_probe_closes_it(breaker, clock, changes):
    fail(breaker, 3)
    clock.now = 10
    probe = breaker.enter("host")
    assert breaker.state("host") is HALF_OPEN
    with pytest.raises(CircuitOpenError):
        breaker.enter("host")
    probe.settle(healthy=True)
    breaker.enter("host")
    breaker.enter("host")
    assert [change[1:] for change in changes] == [(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED)]


def test_a_failed_probe_opens_it_for_twice_as_long(breaker, clock):
    fail(breaker, 3)
    lasted = []
    for _ in range(4):
        with pytest.raises(CircuitOpenError) as caught:
            breaker.enter("host")
        lasted.append(caught.value.retry_after)
        clock.now += caught.value.retry_after
        fail(breaker)
    assert lasted == [10, 20, 35, 35]


def test_a_cancelled_probe_counts_as_nothing_and_frees_its_place(breaker, clock):
    fail(breaker, 3)
    clock.now = 10
    breaker.enter("host").settle(healthy=None)
    assert breaker.state("host") is OPEN
    breaker.enter("host").settle(healthy=True)
    assert breaker.state("host") is CLOSED


def test_a_probe_that_never_settles_does_not_block_the_circuit_for_ever(breaker, clock):
    """Its thread was killed between leave and call."""
    fail(breaker, 3)
    clock.now = 10
    lost = breaker.enter("host")
    clock.now += breaker.longest - 1
    with pytest.raises(CircuitOpenError):
        breaker.enter("host")
    clock.now += 1
    again = breaker.enter("host")
    with pytest.raises(CircuitOpenError):
        breaker.enter("host")
    again.settle(healthy=True)
    lost.settle(healthy=False)
    assert breaker.state("host") is CLOSED


def test_calls_from_before_the_change_count_as_nothing(breaker, clock):
    early = [breaker.enter("host") for _ in range(5)]
    fail(breaker, 3)
    for permit in early[:2]:
        permit.settle(healthy=False)
    clock.now = 9
    early[2].settle(healthy=True)
    assert breaker.state("host") is OPEN
    clock.now = 10
    probe = breaker.enter("host")
    early[3].settle(healthy=True)
    assert breaker.state("host") is HALF_OPEN
    probe.settle(healthy=True)
    early[4].settle(healthy=False)
    fail(breaker, 2)
    assert breaker.state("host") is CLOSED


def test_settling_twice_counts_once(breaker):
    permit = breaker.enter("host")
    for _ in range(5):
        permit.settle(healthy=False)
    assert breaker.state("host") is CLOSED


def test_exactly_one_of_many_threads_probes(breaker, clock):
    fail(breaker, 3)
    clock.now = 10
    gate = threading.Barrier(16)

    def attempt(_):
        gate.wait()
        try:
            return breaker.enter("host")
        except CircuitOpenError:
            return None

    with ThreadPoolExecutor(16) as pool:
        permits = [permit for permit in pool.map(attempt, range(16)) if permit]
    assert len(permits) == 1


def test_it_can_be_closed_by_hand(breaker, changes):
    fail(breaker, 3)
    breaker.reset("host")
    breaker.reset("host")
    assert breaker.state("host") is CLOSED
    assert changes[-1] == ("host", OPEN, CLOSED)


def test_a_failing_hook_harms_nobody(clock):
    def broken(*_):
        raise RuntimeError("hook")

    breaker = Breaker(threshold=1, clock=clock, on_change=broken)
    fail(breaker)
    assert breaker.state("host") is OPEN


def test_a_threshold_below_one_is_refused():
    with pytest.raises(ValueError, match="threshold must be >= 1, got 0"):
        Breaker(threshold=0)


class TestInAPolicy:
    """What counts as a failure of the server."""

    def policy(self, clock):
        return Policy(retry=Retry(retries=0), breaker=Breaker(threshold=2, clock=clock), clock=clock)

    @pytest.mark.parametrize(
        ("error", "opens"),
        [
            (ServerError("x", status_code=500), True),
            (ConnectError("x"), True),
            (NotFoundError("x", status_code=404), False),
            (ValueError("x"), False),
            (KeyboardInterrupt(), False),
        ],
    )
    def test_errors(self, clock, error, opens):
        policy = self.policy(clock)

        def attempt(_):
            raise error

        for _ in range(4):
            with pytest.raises((type(error), CircuitOpenError)):
                policy.call(attempt, key="host")
        assert (policy.breaker.state("host") is OPEN) == opens

    def test_cancellation_counts_as_nothing_and_frees_the_probe(self, clock):
        policy = self.policy(clock)

        async def main():
            forever = asyncio.Event()

            async def hang(_):
                await forever.wait()

            async def fails(_):
                raise ConnectError("x")

            for _ in range(2):
                with pytest.raises(ConnectError):
                    await policy.acall(fails, key="host")
            clock.now = 10
            probe = asyncio.create_task(policy.acall(hang, key="host"))
            await asyncio.sleep(0)
            assert policy.breaker.state("host") is HALF_OPEN
            others = await asyncio.gather(*[policy.acall(hang, key="host") for _ in range(20)], return_exceptions=True)
            assert {type(error) for error in others} == {CircuitOpenError}
            probe.cancel()
            with pytest.raises(asyncio.CancelledError):
                await probe
            assert policy.breaker.state("host") is OPEN

        asyncio.run(main())
