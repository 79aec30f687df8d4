"""Deleting runs: nothing of them is left, everything else stays as it was, and their ids do not come back."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from contexten.protocol import NewLogEntry, RunStatus, Window
from contexten.server.store import NewRun, Store, buckets
from contexten.server.store.errors import NotThereError, RunBusyError
from contexten.server.store.records import RunFilter

pytestmark = pytest.mark.anyio
SOURCES = ["API", "LOCAL"]


async def ended(store, new):
    run, _ = await store.runs.create(new)
    return (await store.runs.cancel(run.organization_id, run.id))[0]


async def say(store, run, words):
    await store.events.append(run.id, run.turn, NewLogEntry(message_type="ACTION", observation=words), key="said")


def tables_that_know(store, run_id):
    """Tables with a row about a run; the index of words is asked for words of nobody else."""
    engine = create_engine(make_url(store.url))
    with engine.connect() as connection:
        found = {
            name
            for name, column in {"runs": "id", "turns": "run_id", "events": "run_id", "sessions": "run_id"}.items()
            if connection.scalar(text(f"SELECT count(*) FROM {name} WHERE {column} = {run_id}"))
        }
        if store.is_sqlite:
            connection.execute(text("INSERT INTO event_words (event_words) VALUES ('integrity-check')"))
            words = "SELECT count(*) FROM event_words WHERE event_words MATCH 'quokka'"
        else:
            words = "SELECT count(*) FROM event_words WHERE words @@ 'quokka'::tsquery"
        left = connection.scalar(text(words))
    engine.dispose()
    return found | ({"event_words"} if left else set())


async def test_nothing_of_a_deleted_run_is_left_and_the_others_stay(store, people):
    kept = await ended(store, people.run("kept wombat"))
    run = await ended(store, people.run("the quokka", idempotency_key="k", source_type="LOCAL"))
    await say(store, run, "a Quokka sings")
    assert tables_that_know(store, run.id) == {"runs", "turns", "events", "event_words"}
    run = await store.runs.get(1, run.id)
    assert await store.runs.delete(1, run.id) == run
    assert tables_that_know(store, run.id) == set()
    with pytest.raises(NotThereError, match=f"There is no run {run.id} in organization 1. The newest is {kept.id}."):
        await store.runs.get(1, run.id)
    with pytest.raises(NotThereError):
        await store.runs.delete(1, run.id)
    assert await store.runs.list(1, Window()) == ([kept], 1)
    assert await store.runs.list(1, Window(), RunFilter(source_type="LOCAL")) == ([], 0)
    assert (await store.search.find(1, "quokka")).matches == []
    assert [match.run for match in (await store.search.find(1, "wombat")).matches] == [kept]
    again, new = await store.runs.create(people.run("the quokka", idempotency_key="k"))
    assert new
    assert again.id == run.id + 1


@pytest.mark.parametrize("restart", [False, True])
async def test_ids_of_the_newest_run_and_its_events_do_not_come_back(settings, store, people, restart):
    runs = [await ended(store, people.run()) for _ in range(2)]
    newest = await store.events.last_id()
    for run in runs[::-1]:
        await store.runs.delete(1, run.id)
    if restart:
        store.close()
        store = Store.open(settings)
    try:
        run, _ = await store.runs.create(people.run())
        assert run.id == runs[-1].id + 1
        left = [(event.event, event.id - newest) for _, event in await store.events.after(0)]
        assert left == [("deleted", 1), ("deleted", 2), ("log", 3), ("status", 4)]
    finally:
        if restart:
            store.close()


async def test_a_run_that_goes_on_is_not_deleted(store, people):
    run, _ = await store.runs.create(people.run())
    for status in (RunStatus.PENDING, RunStatus.RUNNING):
        with pytest.raises(RunBusyError, match=f"Run 1 is {status}. Cancel it"):
            await store.runs.delete(1, run.id)
        await store.runs.begin(run.id, 1)
    other, _ = await store.people.create_organization("other", people.user_id)
    with pytest.raises(NotThereError):
        await store.runs.delete(other.id, run.id)
    assert (await store.runs.get(1, run.id)).status == "RUNNING"


async def test_a_reported_session_can_be_reported_anew(store, people):
    first = await store.sessions.create(1, people.user_id, "s")
    await store.runs.set_status(1, first, "COMPLETE")
    await store.runs.delete(1, first)
    with pytest.raises(NotThereError):
        await store.sessions.run_of(1, "s")
    assert await store.sessions.create(1, people.user_id, "s") == first + 1


Steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from([0, 1]), st.sampled_from(SOURCES)),
        st.tuples(st.just("delete"), st.integers(0, 30), st.none()),
    ),
    max_size=40,
)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=Steps, size=st.integers(1, 7))
def test_pages_stay_right_whatever_is_created_and_deleted(store, steps, size, monkeypatch):
    """Blocks of 3 and of 12 ids: a few runs fill and empty several of each width."""
    monkeypatch.setattr(buckets, "_NARROW", 3)
    monkeypatch.setattr(buckets, "_WIDE", 12)

    async def play():
        await store.people.first_start()
        users = [(await store.people.add_user(1, f"user {number}")).id for number in range(2)]
        organization, _ = await store.people.create_organization("one", users[0])
        left = []
        for what, who, source in steps:
            if what == "create":
                left.append(await ended(store, NewRun(organization.id, users[who], "p", "none", source_type=source)))
            elif left:
                await store.runs.delete(organization.id, left.pop(who % len(left)).id)
        for user in (None, *users):
            for source in (None, *SOURCES):
                wanted = RunFilter(user, source)
                whole = [r for r in left[::-1] if user in (None, r.user_id) and source in (None, r.source_type)]
                pages = [
                    await store.runs.list(organization.id, Window(skip, size), wanted)
                    for skip in range(0, len(left) + size, size)
                ]
                assert [run for runs, _ in pages for run in runs] == whole
                assert {total for _, total in pages} == {len(whole)}

    asyncio.run(play())
