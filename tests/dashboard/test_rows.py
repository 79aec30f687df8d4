"""Log entries, patches, statuses and workflows as pages show them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.dashboard import graph
from contexten.dashboard.entries import LONGEST, PREVIEW, folded, row_of, shown, unfolded
from contexten.dashboard.looking import Looking
from contexten.dashboard.patches import LONGEST_FILE, patch, patches, sections
from contexten.dashboard.words import GROUPS, WORDS, duration, money, status_word
from contexten.protocol import AgentRunDiff, LogEntry, RunStatus
from contexten.protocol.status import TERMINAL
from contexten.protocol.workflows import TaskStatus, WorkflowStatus, WorkflowTaskState


def entry(**fields):
    return LogEntry(agent_run_id=1, **fields)


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"message_type": "USER_MESSAGE", "observation": "do it"}, "you", "do it"),
        ({"message_type": "PLAN_EVALUATION", "thought": "1 step"}, "plan", "1 step"),
        ({"message_type": "ACTION", "tool_name": "find", "thought": "look"}, "tool", "look"),
        ({"message_type": "ERROR", "observation": "\x1b[31mboom"}, "error", "[31mboom"),
        ({"message_type": "SOMETHING_NEW", "thought": "hm"}, "other", "hm"),
        ({"message_type": "ACTION", "observation": {"found": 3}}, "other", "found: 3"),
        ({}, "other", ""),
    ],
)
def test_an_entry_says_what_it_is(fields, kind, text):
    row = row_of(7, entry(**fields))
    assert (row.position, row.kind, row.text) == (7, kind, text)


def test_an_entry_unfolds_to_all_that_it_has_and_folds_again():
    told = entry(
        message_type="ACTION",
        tool_name="run",
        thought="x" * 2000,
        tool_input={"command": "ls\npwd"},
        tool_output={"code": 0},
    )
    row = row_of(0, told)
    assert row.folds
    assert len(row.text) <= PREVIEW + 1
    assert (row.given, row.said, row.full) == ("", "", "")
    whole = unfolded(row, told)
    assert whole.full == "x" * 2000
    assert whole.given == "command: \n    ls\n    pwd"
    assert whole.said == "code: 0"
    assert folded(whole) == row


def test_no_entry_is_more_than_a_page_can_show():
    told = entry(message_type="ACTION", thought="a" * 1_000_000, tool_output={"out": "b" * 1_000_000})
    row = row_of(0, told)
    assert len(row.text) < 1000
    whole = unfolded(row, told)
    assert len(whole.full) < LONGEST + 200
    assert "800,000 more characters" in whole.full
    assert len(whole.said) < LONGEST + 200


def test_an_answer_is_markdown_and_a_short_entry_does_not_fold():
    assert row_of(0, entry(message_type="FINAL_ANSWER", thought="**yes**")).html == "<p><strong>yes</strong></p>\n"
    told = entry(message_type="FINAL_ANSWER", thought="in short", observation="All of *it*.")
    assert row_of(0, told).html == "<p>All of <em>it</em>.</p>\n"
    assert not row_of(0, entry(message_type="ACTION", thought="short")).folds


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_any_json_is_shown(value):
    assert isinstance(shown(value), str)


def test_each_status_has_a_word_and_each_end_a_group():
    for status in (*RunStatus, *TaskStatus, *WorkflowStatus):
        assert status_word(status)[0] == WORDS[str(status)][0]
    grouped = [status for group in GROUPS.values() for status in group]
    assert sorted(grouped) == sorted(RunStatus)
    assert {RunStatus(status) for name in ("complete", "failed", "stopped") for status in GROUPS[name]} == TERMINAL
    assert status_word("completed") == ("complete", "good")
    assert status_word("SOMETHING_NEW") == ("something new", "idle")
    assert status_word(None) == ("waiting", "idle")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.31, "0.3 s"), (59.94, "59.9 s"), (250, "4 min 10 s"), (7260, "2 h 1 min"), (-5, "0.0 s")]
)
def test_durations_are_said_as_people_say_them(seconds, words):
    from datetime import UTC, datetime, timedelta

    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert duration(start.isoformat(), (start + timedelta(seconds=seconds)).isoformat()) == words
    assert not duration(start.isoformat(), None)


def test_small_money_keeps_its_digits():
    assert (money(0), money(0.08), money(0.0012), money(12.345)) == ("", "$0.08", "$0.0012", "$12.35")


@given(
    st.builds(
        Looking,
        status=st.sampled_from(["", *GROUPS]),
        engine=st.text(max_size=20),
        text=st.text(max_size=50).map(str.strip),
        page=st.just(1) | st.integers(2, 1000),
        top=st.integers(1, 10**6),
    ).map(lambda looking: looking if looking.page > 1 else Looking(looking.status, looking.engine, looking.text))
)
def test_an_address_means_what_it_was_made_of(looking):
    from urllib.parse import parse_qsl, urlsplit

    address = looking.address(page=looking.page, top=looking.top)
    assert Looking.read(dict(parse_qsl(urlsplit(address).query))) == looking


def test_an_address_that_cannot_be_meant_shows_the_first_page():
    assert Looking.read({"status": "no", "page": "x", "top": "-1"}) == Looking()
    assert Looking.read({"page": "9" * 40}).page == 1
    assert Looking(page=4, top=9, status="failed").address(engine="model") == "/?status=failed&engine=model"


PATCH = """diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1 +1 @@
-old
+<b>new</b>
diff --git a/b.py b/b.py
new file mode 100644
+++ b/b.py
@@ -0,0 +1 @@
+diff --git is only text here
"""


def diff(files, text=PATCH):
    return AgentRunDiff(agent_run_id=1, turn=1, patch=text, files=files, insertions=2, deletions=1)


def changed(path, **more):
    return {"path": path, "status": "modified", "insertions": 1, **more}


def test_a_patch_is_shown_file_by_file():
    first, big, last = patches(
        diff([changed("a.py"), changed("big.bin", omitted=True), changed("b.py", previous="c.py")])
    )
    assert "&lt;b&gt;new&lt;/b&gt;" in first.html
    assert not big.is_open
    assert big.rest == "Too large to be in the patch."
    assert last.name == "c.py → b.py"
    assert "diff --git is only text here" in last.html


def test_a_patch_that_does_not_fit_its_files_is_not_guessed_at():
    assert sections(diff([changed("a.py")])) == [[]]


def test_only_as_many_lines_as_a_page_can_show():
    lines = ["diff --git a/x b/x", *["+line"] * 5000]
    text = "\n".join(lines) + "\n"
    (shown_file,) = patches(diff([changed("x")], text))
    assert not shown_file.is_open
    assert not shown_file.html
    opened = patch(0, diff([changed("x")], text).files[0], lines, is_open=True)
    assert opened.html.count("<span") == LONGEST_FILE
    assert opened.rest == "3,500 more lines are not shown here."


def task(name, *dependencies):
    return WorkflowTaskState(id=name, name=name, role="r", status="PENDING", dependencies=list(dependencies), attempt=0)


@given(st.lists(st.lists(st.integers(0, 11), max_size=4), min_size=1, max_size=12))
def test_a_task_stands_right_of_what_it_waits_for_and_alone_on_its_place(wanted):
    tasks = [
        task(str(number), *{str(other) for other in others if other < number}) for number, others in enumerate(wanted)
    ]
    where = graph.places(tasks)
    assert len(set(where.values())) == len(tasks)
    for each in tasks:
        assert all(where[name].left < where[each.id].left for name in each.dependencies)
    width, height = graph.size(where)
    assert all(place.left + graph.WIDTH <= width and place.top + graph.HEIGHT <= height for place in where.values())
    assert graph.lines(tasks, where).count("M") == sum(len(each.dependencies) for each in tasks)


def test_tasks_that_wait_for_each_other_still_have_a_place():
    assert len(graph.places([task("a", "b"), task("b", "a"), task("c", "gone")])) == 3


def test_a_row_survives_the_way_to_the_browser():
    from dataclasses import asdict

    json.dumps(asdict(row_of(0, entry(message_type="ACTION", thought="\udcff lone"))))
