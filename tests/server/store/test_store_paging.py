import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.protocol import NewLogEntry, Window
from contexten.server.store import NewRun, buckets
from contexten.server.store.records import RunFilter

ENGINES = ["analyst", "model"]
SOURCES = ["API", "LOCAL", "CHAT"]
# The database is the same for all examples: each works in an organization of its own.
in_one_store = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def two_users(store):
    async def make():
        _, user, _ = await store.people.first_start()
        return user.id, (await store.people.add_user(1, "other")).id

    return asyncio.run(make())


@pytest.fixture
def narrow_blocks(monkeypatch):
    """Blocks so narrow that a few runs fill several of each width."""
    monkeypatch.setattr(buckets, "_NARROW", 3)
    monkeypatch.setattr(buckets, "_WIDE", 12)


@in_one_store
@given(
    creates=st.lists(
        st.tuples(st.sampled_from([0, 1]), st.sampled_from(SOURCES), st.sampled_from(ENGINES)), max_size=40
    ),
    wanted=st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from([None, *SOURCES, "SLACK"])),
    engine=st.sampled_from([None, None, *ENGINES]),
    statuses=st.sampled_from([(), (), ("PENDING",), ("CANCELLED", "ERROR"), ("PENDING", "CANCELLED")]),
    before=st.none() | st.integers(0, 45),
    size=st.integers(1, 15),
)
@pytest.mark.usefixtures("narrow_blocks")
def test_pages_put_together_are_the_whole_list(store, two_users, creates, wanted, engine, statuses, before, size):  # noqa: PLR0913, PLR0917 - the parts of a choice
    async def check():
        user, source = wanted
        organization, _ = await store.people.create_organization("one", two_users[0])
        new = [NewRun(organization.id, two_users[who], "x", name, source_type=kind) for who, kind, name in creates]
        made = [(await store.runs.create(run))[0] for run in new]
        for run in made[::3]:
            await store.runs.cancel(organization.id, run.id)
        ended = {run.id for run in made[::3]}
        user_id = None if user is None else two_users[user]
        before_id = None if before is None or not made else made[0].id + before
        chosen = RunFilter(user_id, source, statuses, engine, None, before_id)
        whole = [
            run.id
            for run in made[::-1]
            if user_id in (None, run.user_id)
            and source in (None, run.source_type)
            and engine in (None, run.engine)
            and (not statuses or ("CANCELLED" if run.id in ended else "PENDING") in statuses)
        ]
        shown = [run_id for run_id in whole if before_id is None or run_id < before_id]

        async def page(skip):
            return await store.runs.list(organization.id, Window(skip, size), chosen)

        pages = [await page(skip) for skip in range(0, len(made) + size, size)]
        assert [run.id for runs, _ in pages for run in runs] == shown
        assert {total for _, total in pages} == {len(whole)}

    asyncio.run(check())


@in_one_store
@given(
    entries=st.integers(0, 30),
    window=st.builds(Window, st.integers(0, 40) | st.just(10**30), st.integers(1, 12)),
    back=st.booleans(),
)
def test_a_page_of_a_log_is_a_slice_of_it(store, entries, window, back):
    async def check():
        await store.people.first_start()
        run, _ = await store.runs.create(NewRun(1, 1, "0", "analyst"))
        for number in range(1, entries + 1):
            entry = NewLogEntry(message_type="ACTION", observation=str(number))
            await store.events.append(run.id, 1, entry, key=None)
        shown, page = await store.events.logs(1, run.id, window, reverse=back)
        whole = [str(number) for number in range(entries + 1)]
        assert shown.log_count == len(whole)
        assert [entry.observation for entry in page] == (whole[::-1] if back else whole)[
            window.skip : window.skip + window.limit
        ]

    asyncio.run(check())


@pytest.mark.anyio
async def test_a_window_past_the_end_is_empty_and_tells_the_total(store, people):
    await store.runs.create(people.run())
    assert await store.runs.list(people.organization_id, Window(1, 10)) == ([], 1)
    assert await store.runs.list(people.organization_id, Window(10**30, 10)) == ([], 1)


@pytest.mark.anyio
async def test_filters_that_no_run_can_have_find_nothing(store, people):
    await store.runs.create(people.run())
    assert await store.runs.list(people.organization_id, Window(), RunFilter(user_id=0)) == ([], 0)
    assert await store.runs.list(people.organization_id, Window(), RunFilter(source_type="")) == ([], 0)
    assert await store.runs.list(people.organization_id, Window(), RunFilter(source_type="\x00")) == ([], 0)
