"""Log entries that are too large to keep: cut, with a note, and everything short in them left as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.protocol import NewLogEntry, Window
from contexten.server.store.entry_size import LARGEST_ENTRY, cut_text, fitted

NOTES = 2_000
lengths = st.integers(0, 2 * LARGEST_ENTRY)


def length(entry):
    fields = entry.model_dump(exclude_none=True, exclude={"created_at"})
    return sum(len(value if isinstance(value, str) else json.dumps(value)) for value in fields.values())


@given(thought=lengths, observation=lengths, output=lengths, as_text=st.booleans())
def test_an_entry_fits_whatever_is_long_in_it(thought, observation, output, as_text):
    entry = NewLogEntry(
        message_type="ACTION",
        tool_name="read",
        thought="t" * thought,
        observation="o" * observation if as_text else {"text": "o" * observation},
        tool_output={"text": "r" * output},
    )
    small = fitted(entry)
    assert length(small) <= LARGEST_ENTRY + NOTES
    assert (small.message_type, small.tool_name) == ("ACTION", "read")
    assert isinstance(small.observation, str) == as_text
    if length(entry) <= LARGEST_ENTRY:
        assert small == entry
    else:
        assert "cut: " in str(small.model_dump())
        assert length(small) >= LARGEST_ENTRY - NOTES


@given(st.text(max_size=50), st.integers(0, 50))
def test_a_text_that_is_cut_keeps_its_beginning(text, most):
    assert cut_text(text, most).startswith(text[:most])
    assert (cut_text(text, most) == text) == (len(text) <= most)


@pytest.mark.anyio
async def test_what_is_written_is_cut_and_a_page_of_events_ends_by_its_length(store, people):
    run, _ = await store.runs.create(people.run())
    for key in "abc":
        entry = NewLogEntry(message_type="ACTION", observation={"image": "x" * 3_000_000})
        assert await store.events.append(run.id, 1, entry, key=key)
    await store.runs.finish(run.id, 1, status="COMPLETE", result="y" * 3_000_000, summary="z" * 3_000_000)
    _, entries = await store.events.logs(people.organization_id, run.id, Window(1, 10))
    assert all(entry.observation["cut"].startswith("cut: 3000013 characters were") for entry in entries)
    ended = await store.runs.get(people.organization_id, run.id)
    assert len(ended.result) < LARGEST_ENTRY + NOTES
    assert len(ended.summary) < 2_000
    found = [event.id for _, event in await store.events.after(0)]
    paged, after = [], 0
    while page := await store.events.after(after, size=LARGEST_ENTRY):
        assert len(page) <= 4
        paged += [event.id for _, event in page]
        after = paged[-1]
    assert paged == found
