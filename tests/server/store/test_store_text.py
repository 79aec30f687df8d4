import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.errors import UsageError
from contexten.protocol import NewLogEntry
from contexten.server.store import NewRun
from contexten.server.store.text_gate import clean_text, to_json

any_text = st.text(st.characters(categories=None))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)
one_store = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def run_id(store):
    async def make():
        await store.people.first_start()
        return (await store.runs.create(NewRun(1, 1, "x", "analyst")))[0].id

    return asyncio.run(make())


@one_store
@given(prompt=any_text, metadata=st.dictionaries(any_text, any_json, max_size=3), model=st.none() | any_text)
def test_what_is_created_is_what_is_read_and_can_be_sent(store, run_id, prompt, metadata, model):
    async def check():
        new = NewRun(1, 1, prompt, "analyst", model=model, metadata=metadata)
        run, _ = await store.runs.create(new)
        assert run == await store.runs.get(1, run.id)
        assert run.prompt == clean_text(prompt)
        for text in (run.prompt, run.model or "", to_json(run.metadata)):
            assert "\x00" not in text
            text.encode()

    asyncio.run(check())


@one_store
@given(
    observation=st.dictionaries(any_text, any_json, max_size=3) | any_text, key=st.none() | any_text, thought=any_text
)
def test_whatever_an_engine_says_is_kept(store, run_id, observation, key, thought):
    async def check():
        entry = NewLogEntry(message_type="ACTION", observation=observation, thought=thought)
        before = await store.events.last_id()
        if await store.events.append(run_id, 1, entry, key=key):
            ((_, event),) = await store.events.after(before)
            assert event.entry.thought == clean_text(thought)
            event.model_dump_json()

    asyncio.run(check())


@pytest.mark.anyio
async def test_text_that_cannot_be_stored_becomes_a_replacement_character(store, people):
    run, _ = await store.runs.create(people.run("a\x00b\ud800c", idempotency_key="k\x00"))
    assert run.prompt == "a\ufffdb\ufffdc"
    assert await store.runs.create(people.run("a\x00b\ud800c", idempotency_key="k\x00")) == (run, False)
    await store.runs.finish(run.id, 1, status="FAILED", result="\x00", summary="\udfff")
    ended = await store.runs.get(people.organization_id, run.id)
    assert (ended.result, ended.summary) == ("\ufffd", "\ufffd")


def test_things_that_json_lacks_become_something_it_has():
    assert to_json({"a": float("inf"), 1: (2, {3}), None: b"x"}) == '{"a":null,"1":[2,"{3}"],"None":"b\'x\'"}'


def test_json_without_an_end_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(UsageError, match="nested too deeply"):
        to_json(endless)
