import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.protocol import NewLogEntry, Window
from contexten.server.store import NewRun, buckets

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
    creates=st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from(SOURCES)), max_size=40),
    wanted=st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from([None, *SOURCES, "SLACK"])),
    size=st.integers(1, 15),
)
@pytest.mark.usefixtures("narrow_blocks")
def test_pages_put_together_are_the_whole_list(store, two_users, creates, wanted, size):
    async def check():
        user, source = wanted
        organization, _ = await store.people.create_organization("one", two_users[0])
        new = [NewRun(organization.id, two_users[who], "x", "analyst", source_type=kind) for who, kind in creates]
        made = [(await store.runs.create(run))[0] for run in new]
        user_id = None if user is None else two_users[user]
        whole = [run for run in made[::-1] if user_id in (None, run.user_id) and source in (None, run.source_type)]

        async def page(skip):
            return await store.runs.list(organization.id, Window(skip, size), user_id=user_id, source_type=source)

        pages = [await page(skip) for skip in range(0, len(made) + size, size)]
        assert [run for runs, _ in pages for run in runs] == whole
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
    assert await store.runs.list(people.organization_id, Window(), user_id=0) == ([], 0)
    assert await store.runs.list(people.organization_id, Window(), source_type="") == ([], 0)
    assert await store.runs.list(people.organization_id, Window(), source_type="\x00") == ([], 0)
