import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from contexten.errors import UsageError
from contexten.protocol import NewLogEntry, Window
from contexten.server.store import NewRun, NotThereError, Store
from contexten.server.store.columns import now
from contexten.server.store.event_rows import Place, status_row, write_events

pytestmark = pytest.mark.anyio


def action(text="", **rest):
    return NewLogEntry(message_type="ACTION", observation=text, **rest)


async def everything(store, **which):
    found, last = [], 0
    while page := await store.events.after(last, limit=7, **which):
        found += page
        last = page[-1][1].id
    return found


async def test_an_entry_keeps_all_that_was_said(store, people):
    run, _ = await store.runs.create(people.run())
    entry = NewLogEntry(
        message_type="NEW_KIND",
        thought="why",
        tool_name="read",
        observation={"lines": [1, None, {"x": "y"}]},
        tool_input={"path": "a.py"},
        tool_output={},
        created_at="2025-10-07T12:00:00+02:00",
        colour="green",
    )
    assert await store.events.append(run.id, 1, entry, key="a")
    kept = (await store.events.entries(run.id, 1))["a"]
    assert kept.model_dump() == entry.model_dump() | {"agent_run_id": run.id, "created_at": "2025-10-07T10:00:00Z"}


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01T00:00:00+14:00", ""])
async def test_a_time_that_cannot_be_meant_is_refused(store, people, time):
    run, _ = await store.runs.create(people.run())
    with pytest.raises(UsageError, match="ISO 8601"):
        await store.events.append(run.id, 1, action(created_at=time), key=None)


async def test_a_key_is_written_once_for_each_turn(store, people):
    run, _ = await store.runs.create(people.run())
    assert await store.events.append(run.id, 1, action("first"), key="step")
    assert not await store.events.append(run.id, 1, action("second"), key="step")
    assert await store.events.append(run.id, 2, action("third"), key="step")
    assert {key: entry.observation for key, entry in (await store.events.entries(run.id, 1)).items()} == {
        "step": "first"
    }
    other, _ = await store.runs.create(people.run())
    assert (await store.events.last(run.id, "step")).observation == "third"
    assert await store.events.last(run.id, "other") is await store.events.last(other.id, "step") is None


async def test_of_equal_keys_in_one_batch_one_is_written(store, people):
    run, _ = await store.runs.create(people.run())
    written = await asyncio.gather(*(store.events.append(run.id, 1, action(), key="step") for _ in range(50)))
    assert Counter(written) == {True: 1, False: 49}
    assert (await store.runs.get(people.organization_id, run.id)).log_count == 2


async def test_an_entry_that_cannot_be_written_does_not_fail_the_others(store, people):
    run, _ = await store.runs.create(people.run())
    where = [run.id, 77, run.id, run.id]
    appends = [store.events.append(run_id, 1, action(str(n)), key=None) for n, run_id in enumerate(where)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [type(result) for result in results] == [bool, NotThereError, bool, bool]
    _, entries = await store.events.logs(people.organization_id, run.id, Window(1, 10))
    assert [entry.observation for entry in entries] == ["0", "2", "3"]


async def test_an_entry_that_the_database_refuses_does_not_fail_the_others(store, people):
    run, _ = await store.runs.create(people.run())
    turns = [1, 10**30, 1, 1]
    appends = [store.events.append(run.id, turn, action(str(n)), key=None) for n, turn in enumerate(turns)]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False, False]
    _, entries = await store.events.logs(people.organization_id, run.id, Window(1, 10))
    assert [entry.observation for entry in entries] == ["0", "2", "3"]


async def test_a_work_that_fails_does_not_fail_those_beside_it(store, people):
    """Even when the database itself refuses it."""
    good = [store.runs.create(people.run()) for _ in range(5)]
    bad = [store.runs.create(people.run(user_id=99)) for _ in range(5)]
    results = await asyncio.gather(
        *(work for pair in zip(good, bad, strict=True) for work in pair), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [False, True] * 5
    assert (await store.runs.list(people.organization_id, Window()))[1] == 5


async def test_an_event_that_was_undone_is_not_announced(store, people):
    """Or the next one, which gets its id, would look like one that was announced before."""
    commits, busy = [], threading.Event()
    store.on_commit(commits.append)
    run, _ = await store.runs.create(people.run())

    def write_then_fail(transaction):
        place = Place(run.id, people.organization_id, 1)
        write_events(transaction, [status_row(place, "RUNNING", now()) for _ in range(3)])
        raise LookupError

    store._database.write_later(lambda _: busy.wait())
    works = [store.events.append(run.id, 1, action(), key="a"), store._database.write(write_then_fail)]
    both = asyncio.gather(*works, return_exceptions=True)
    await asyncio.sleep(0)  # both wait now
    busy.set()
    assert [type(result) for result in await both] == [bool, LookupError]
    assert await store.events.append(run.id, 1, action(), key="b")
    assert [event.id for _, event in await store.events.after(0)] == [1, 2, 3, 4]
    store.close()
    assert commits == [2, 3, 4]


async def test_a_key_that_no_index_takes_is_refused_and_fails_no_other(store, people):
    run, _ = await store.runs.create(people.run())
    keys = ["a", "k" * 201, "k" * 200]
    appends = [store.events.append(run.id, 1, action(), key=key) for key in keys]
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [type(result) for result in results] == [bool, UsageError, bool]
    assert "at most 200 characters, not 201" in str(results[1])


async def test_appends_that_wait_share_commits(store, people):
    commits, busy = [], threading.Event()
    store.on_commit(commits.append)
    run, _ = await store.runs.create(people.run())
    store._database.write_later(lambda _: busy.wait())
    appends = asyncio.gather(*(store.events.append(run.id, 1, action(), key=None) for _ in range(300)))
    await asyncio.sleep(0)  # all wait now
    busy.set()
    await appends
    assert await store.events.last_id() == 302
    store.close()
    assert len(commits) < 100
    assert commits == sorted(commits)
    assert commits[-1] == 302


async def test_events_are_told_apart_by_organization_and_run(store, people):
    organization, _ = await store.people.create_organization("other", people.user_id)
    for _ in range(2):
        await store.runs.create(people.run())
    await store.runs.create(people.run(organization_id=organization.id))
    assert [event.agent_run_id for _, event in await everything(store)] == [1, 1, 2, 2, 3, 3]
    assert {owner for owner, _ in await everything(store, organization_id=organization.id)} == {organization.id}
    assert [event.agent_run_id for _, event in await everything(store, run_id=2)] == [2, 2]
    assert await everything(store, organization_id=organization.id, run_id=2) == []


async def test_the_last_status_event_carries_the_result(store, people):
    run, _ = await store.runs.create(people.run())
    await store.runs.finish(run.id, 1, status="FAILED", result="needs a model")
    _, ended = (await store.events.after(0))[-1]
    assert (ended.event, ended.status, ended.result) == ("status", "FAILED", "needs a model")


async def test_a_listener_that_breaks_disturbs_nobody(store, people, caplog):
    heard, loop = asyncio.Queue(), asyncio.get_running_loop()
    store.on_commit(lambda _: 1 / 0)
    store.on_commit(lambda newest: loop.call_soon_threadsafe(heard.put_nowait, newest))
    run, _ = await store.runs.create(people.run())
    assert await store.events.append(run.id, 1, action(), key=None)
    async with asyncio.timeout(150):
        while await heard.get() < 3:
            pass
    assert "A listener of the store failed" in caplog.text


async def test_commits_of_another_process_are_heard(settings, store, people):
    if store.is_sqlite:
        pytest.skip("one process holds a SQLite data folder at a time")
    heard = asyncio.Queue()
    loop = asyncio.get_running_loop()
    store.on_commit(lambda newest: loop.call_soon_threadsafe(heard.put_nowait, newest))
    other = Store.open(settings)
    try:
        await other.runs.create(people.run())
        async with asyncio.timeout(150):
            assert await heard.get() == 2
    finally:
        other.close()


@pytest.fixture
def second_store(settings, store):
    opened = Store.open(settings)
    yield opened
    opened.close()


@given_settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    plans=st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), max_size=25), min_size=2, max_size=4),
)
def test_positions_are_dense_and_ids_in_commit_order_whoever_writes(store, second_store, plans):
    """Each plan is a thread with an event loop of its own, and writes (run, key)s; a reader follows meanwhile.

    Every other thread writes through a second store on the same database, as another process would.
    """
    runs = asyncio.run(_three_runs(store))
    start = asyncio.run(store.events.last_id())
    done, followed = threading.Event(), []

    async def write(plan, through):
        writes = (through.events.append(runs[run], 1, action(), key=str(key)) for run, key in plan)
        return list(zip(plan, await asyncio.gather(*writes), strict=True))

    async def follow():
        last = start
        while True:
            ended = done.is_set()
            page = await store.events.after(last, limit=5)
            followed.extend(event for _, event in page)
            last = page[-1][1].id if page else last
            if ended and not page:
                return

    with ThreadPoolExecutor(len(plans) + 1) as threads:
        reader = threads.submit(asyncio.run, follow())
        stores = cycle([store, second_store])
        parts = threads.map(lambda plan, through: asyncio.run(write(plan, through)), plans, stores)
        written = [pair for part in parts for pair in part]
        done.set()
        reader.result()

    wanted = {pair for plan in plans for pair in plan}
    assert sorted(pair for pair, new in written if new) == sorted(wanted)
    assert followed == [event for _, event in asyncio.run(everything_after(store, start))]
    for number, run_id in enumerate(runs):
        positions = [event.position for event in followed if event.agent_run_id == run_id]
        assert positions == list(range(1, 1 + len({key for run, key in wanted if run == number})))


async def _three_runs(store):
    known = await store.people.first_start()
    user_id = known[1].id if known else 1
    return [(await store.runs.create(NewRun(1, user_id, "x", "analyst")))[0].id for _ in range(3)]


async def everything_after(store, start):
    return await store.events.after(start, limit=10_000)
