"""One computation per key at a time, whoever asks: threads, tasks, and both at once."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contexten.cache import Cache, SingleFlight
from waiting import until

pytestmark = pytest.mark.anyio
MANY = 50


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def auntil(condition):
    async with asyncio.timeout(150):
        while not condition():  # noqa: ASYNC110 - nothing tells of who waits
            await asyncio.sleep(0)


def waiting(flights, key="key"):
    flight = flights._flights.get(key)
    return flight.waiting if flight else 0


class Held:
    """A computation that waits to be let go, by default with its number as the result."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.begun = 0
        self.go = threading.Event()

    def __call__(self):
        self.begun += 1
        number = self.begun
        assert self.go.wait(150)
        return self._end(number)

    async def later(self):
        self.begun += 1
        number = self.begun
        while not self.go.is_set():  # noqa: ASYNC110 - it is set from any thread
            await asyncio.sleep(0.001)
        return self._end(number)

    def _end(self, number):
        end = self.ends.pop(0) if self.ends else number
        if isinstance(end, BaseException):
            raise end
        return end


def outcome(work):
    try:
        return work()
    except OSError as error:
        return str(error)


def in_threads(flights, held, count):
    with ThreadPoolExecutor(count) as threads:
        asked = [threads.submit(outcome, lambda: flights.do("key", held)) for _ in range(count)]
        until(lambda: waiting(flights) == count)
        held.go.set()
        return [each.result(30) for each in asked]


async def test_threads_share_one():
    flights, held = SingleFlight(), Held()
    assert in_threads(flights, held, 8) == [1] * 8
    assert (held.begun, flights.shared, flights._flights) == (1, 7, {})
    assert flights.do("key", held) == 2


async def test_tasks_share_one():
    flights, held = SingleFlight(), Held()
    tasks = [asyncio.create_task(flights.ado("key", held.later)) for _ in range(MANY)]
    await auntil(lambda: waiting(flights) == MANY)
    held.go.set()
    assert await asyncio.gather(*tasks) == [1] * MANY
    assert (held.begun, flights._flights) == (1, {})


async def test_threads_tasks_and_other_event_loops_share_one():
    flights, held = SingleFlight(), Held()
    first = asyncio.create_task(flights.ado("key", held.later))
    await auntil(lambda: held.begun == 1)
    others = [
        asyncio.create_task(asyncio.to_thread(flights.do, "key", held)),
        asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(flights.ado("key", held.later)))),
    ]
    await auntil(lambda: waiting(flights) == 3)
    held.go.set()
    assert await asyncio.gather(first, *others) == [1] * 3
    assert held.begun == 1


async def test_a_failure_is_tried_once_more_and_a_second_is_everybodys():
    assert sorted(in_threads(SingleFlight(), held := Held(OSError("once")), 6), key=str) == [2] * 5 + ["once"]
    assert held.begun == 2
    held = Held(OSError("once"), OSError("twice"), OSError("thrice"))
    said = in_threads(SingleFlight(), held, 6)
    assert (said.count("once"), said.count("twice"), held.begun) == (1, 5, 2)


async def test_tasks_survive_the_failure_of_another():
    flights, held = SingleFlight(), Held(OSError("once"))
    tasks = [asyncio.create_task(flights.ado("key", held.later)) for _ in range(5)]
    await auntil(lambda: waiting(flights) == 5)
    held.go.set()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(each) for each in said] == ["once", "2", "2", "2", "2"]


async def test_an_interrupted_thread_is_relieved_by_one_who_waits():
    flights, held = SingleFlight(), Held(KeyboardInterrupt())

    def interrupted():
        with pytest.raises(KeyboardInterrupt):
            flights.do("key", held)

    first = threading.Thread(target=interrupted)
    first.start()
    until(lambda: held.begun == 1)
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(flights.do, "key", held)
        until(lambda: waiting(flights) == 2)
        held.go.set()
        assert second.result(60) == 2
    first.join(150)


async def test_who_began_it_may_go_while_others_wait():
    flights, held = SingleFlight(), Held()
    first = asyncio.create_task(flights.ado("key", held.later))
    others = [asyncio.create_task(flights.ado("key", held.later)) for _ in range(3)]
    await auntil(lambda: waiting(flights) == 4)
    first.cancel()
    others[0].cancel()
    await auntil(lambda: waiting(flights) == 2)
    held.go.set()
    assert await asyncio.gather(*others[1:]) == [1, 1]
    assert first.cancelled()
    assert held.begun == 1


async def test_nobody_left_stops_it():
    flights, held = SingleFlight(), Held()
    stopped = asyncio.Event()

    async def compute():
        try:
            return await held.later()
        except asyncio.CancelledError:
            stopped.set()
            raise

    tasks = [asyncio.create_task(flights.ado("key", compute)) for _ in range(3)]
    await auntil(lambda: held.begun == 1)
    for task in tasks:
        task.cancel()
    await asyncio.wait_for(stopped.wait(), 150)
    assert flights._flights == {}


async def test_an_event_loop_that_ends_leaves_its_work_to_others():
    flights, held = SingleFlight(), Held()
    ended = threading.Event()

    async def begin():
        task = asyncio.create_task(flights.ado("key", held.later))
        await auntil(lambda: held.begun == 1)
        await asyncio.to_thread(ended.wait, 150)
        assert not task.done()

    loop = threading.Thread(target=asyncio.run, args=(begin(),))
    loop.start()
    await auntil(lambda: held.begun == 1)
    other = asyncio.create_task(flights.ado("key", held.later))
    await auntil(lambda: waiting(flights) == 2)
    ended.set()
    await auntil(lambda: held.begun == 2)
    held.go.set()
    assert await other == 2
    loop.join(150)


async def test_waiting_for_oneself_is_computing():
    flights = SingleFlight()
    assert flights.do("key", lambda: flights.do("key", lambda: "inner") + "!") == "inner!"

    async def outer():
        return flights.do("key", lambda: "blocking") + "!"

    assert await flights.ado("key", outer) == "blocking!"


async def test_the_cache_computes_once_and_keeps_no_failure(tmp_path):
    counted = []

    async def compute():
        counted.append(1)
        await asyncio.sleep(0)
        return {"n": len(counted)}

    async def fail():
        raise OSError("no")

    with Cache(folder=tmp_path) as cache:
        assert await asyncio.gather(*(cache.aget_or_compute("key", compute) for _ in range(MANY))) == [{"n": 1}] * MANY
        assert cache.get_or_compute("key", lambda: "never") == {"n": 1}
        with pytest.raises(OSError, match="no"):
            await cache.aget_or_compute("other", fail)
        assert await cache.aget("other") is None
        await cache.aput("other", b"bytes")
        assert await cache.aget("other") == b"bytes"
        await cache.adelete("other")
        assert await cache.aget("other", 0) == 0
        await cache.aclear()
        assert await cache.aget("key") is None
        assert cache.statistics().misses == 5
