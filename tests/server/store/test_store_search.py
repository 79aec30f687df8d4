import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.errors import UsageError
from contexten.protocol import NewLogEntry
from contexten.server.store import NewRun, search

pytestmark = pytest.mark.anyio


async def found(store, searched, **rest):
    page = await store.search.find(1, searched, **rest)
    return [match.run.id for match in page.matches]


@pytest.fixture
async def three_runs(store, people):
    for prompt in ("Who calls refund_order?", "Describe shop/payments/refunds.py", "Überblick, bitte"):
        await store.runs.create(people.run(prompt))
    entry = NewLogEntry(message_type="ACTION", tool_name="callers", tool_output={"callers": [{"path": "checkout.py"}]})
    await store.events.append(1, 1, entry, key=None)
    await store.runs.finish(2, 1, status="COMPLETE", result="It pays money back.")


@pytest.mark.parametrize(
    ("searched", "runs"),
    [
        ("refund_order", [1]),
        ("order refund", [1]),
        ("order_refund", []),
        ("REFUND", [2, 1]),
        ("refun", [2, 1]),
        ("refun order", []),
        ("refunds.py", [2]),
        ("checkout", [1]),
        ("money back", [2]),
        ("überblick", [3]),
        ("ÜBER", [3]),
        ("ACTION", []),
        ("nothing like it", []),
        ("", []),
        (" \t", []),
    ],
)
async def test_all_words_are_found_in_prompts_results_and_logs(store, three_runs, searched, runs):
    assert await found(store, searched) == runs


@pytest.mark.parametrize(
    "searched",
    [
        '"',
        "'",
        '"; DROP TABLE runs; --',
        "a AND b OR NOT c NEAR(d)",
        "words : x",
        "scope:2",
        "x*",
        "a & b | !c <-> d:*",
        "\\",
        "\x00",
        "\ud800",
        "(((",
        "^",
        "{a b}",
        "%_",
        "-refund",
    ],
)
async def test_no_character_is_query_syntax(store, three_runs, searched):
    await found(store, searched)
    assert await found(store, f"refund {searched} order" if not any(map(str.isalnum, searched)) else "refund") != []


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(searched=st.text(st.characters(categories=None)))
def test_any_text_can_be_searched(store, searched):
    asyncio.run(store.search.find(1, searched))


@pytest.mark.parametrize("searched", ["a " * 20_000, "a.b" * 20_000, "a" * 100_000, "( " * 20_000])
async def test_a_long_search_is_no_fault(store, three_runs, searched):
    assert await found(store, searched) == []


async def test_a_match_tells_where_it_is_and_shows_it(store, people, three_runs):
    async def first(searched):
        return (await store.search.find(1, searched)).matches[0]

    assert ((await first("calls")).where, (await first("calls")).snippet) == ("prompt", "Who calls refund_order?")
    assert ((await first("money")).where, (await first("money")).snippet) == ("result", "It pays money back.")
    log = await first("checkout")
    assert (log.where, log.run.id) == ("log", 1)
    (_, event), *_ = await store.events.after(log.event_id - 1)
    assert event.entry.tool_name == "callers"


async def test_a_snippet_is_short_and_on_one_line(store, people):
    await store.runs.create(people.run("before\n" * 500 + "the needle\tis here" + "\nafter" * 500))
    (match,) = (await store.search.find(1, "needle")).matches
    assert "the needle is here" in match.snippet
    assert len(match.snippet) <= 200
    assert "\n" not in match.snippet


async def test_each_run_comes_once_whatever_page_it_is_on(store, people):
    for _ in range(7):
        await store.runs.create(people.run("needle"))
    for number in range(40):
        await store.events.append(1 + number % 7, 1, NewLogEntry(message_type="ACTION", thought="needle"), key=None)
    pages, cursor = [], None
    while True:
        page = await store.search.find(1, "needle", limit=3, cursor=cursor)
        pages.append([match.run.id for match in page.matches])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == [[5, 4, 3], [2, 1, 7], [6]]


async def test_a_run_that_says_it_again_between_two_pages_is_not_lost(store, people):
    for _ in range(3):
        await store.runs.create(people.run("needle"))
    first = await store.search.find(1, "needle", limit=1)
    for run_id in (1, 3):
        await store.events.append(run_id, 1, NewLogEntry(message_type="ACTION", thought="needle"), key=None)
    second = await store.search.find(1, "needle", limit=1, cursor=first.next_cursor)
    third = await store.search.find(1, "needle", limit=1, cursor=second.next_cursor)
    assert [match.run.id for page in (first, second, third) for match in page.matches] == [3, 2, 1]
    assert third.next_cursor is None


async def test_a_very_common_word_is_looked_up_in_steps(store, people):
    """One run that says it all the time does not hide the others, however far below they are."""
    await store.runs.create(people.run("needle"))
    await store.runs.create(people.run("hay"))
    said = NewLogEntry(message_type="ACTION", thought="needle")
    await asyncio.gather(*(store.events.append(2, 1, said, key=None) for _ in range(1200)))
    assert await found(store, "needle") == [2, 1]


async def test_a_page_may_end_before_it_is_full(store, people, monkeypatch):
    """So that a word that stands nearly everywhere in few runs is not looked up for ever."""
    monkeypatch.setattr(search, "_MOST_LOOKED_AT", 10)
    monkeypatch.setattr(search, "_CHUNK", 4)
    await store.runs.create(people.run("needle"))
    await store.runs.create(people.run("needle"))
    for _ in range(25):
        await store.events.append(2, 1, NewLogEntry(message_type="ACTION", thought="needle"), key=None)
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = await store.search.find(1, "needle", cursor=cursor)
        pages.append([match.run.id for match in page.matches])
        cursor = page.next_cursor
    assert pages == [[2], [], [1]]


async def test_other_organizations_runs_are_not_found(store, people, three_runs):
    organization, _ = await store.people.create_organization("other", people.user_id)
    await store.runs.create(people.run("refund for others", organization_id=organization.id))
    assert await found(store, "refund") == [2, 1]
    assert len((await store.search.find(organization.id, "refund")).matches) == 1


async def test_a_cursor_that_no_page_gave_is_refused(store, people):
    with pytest.raises(UsageError, match="cursor 'x'"):
        await store.search.find(1, "a", cursor="x")
    for cursor in ("5", "-1-5", "٣-٣", "1" * 31 + "-1"):
        with pytest.raises(UsageError, match="not one that a page"):
            await store.search.find(1, "a", cursor=cursor)
    assert (await store.search.find(1, "a", cursor=f"{10**29}-{10**29}")).matches == []


async def test_long_texts_are_kept_and_found(store, people):
    prompt = " ".join(f"word{number}" for number in range(60_000))
    run, _ = await store.runs.create(people.run(prompt))
    assert run.prompt == prompt
    assert await found(store, "word16 word17") == [1]
    await store.runs.create(NewRun(1, people.user_id, "x" * 1_000_000, "analyst"))
    assert await found(store, "x" * 100) == [2]
