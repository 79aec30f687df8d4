import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contexten.protocol import AgentRun, AgentRunWithLogs, LogEntry, LogEvent, RunEvent, StatusEvent, Window


def test_a_run_answers_attributes_and_keys_alike():
    run = AgentRun(id=7, organization_id=1, status="COMPLETE")
    assert run.id == run["id"] == run.get("id") == 7
    assert dict(run)["status"] == "COMPLETE"
    with pytest.raises(KeyError):
        run["nothing"]


def test_get_gives_the_default_for_absent_and_null():
    entry = LogEntry(agent_run_id=1)
    assert entry.get("thought", "") == ""
    assert entry.get("colour", "none") == "none"


def test_fields_that_this_version_does_not_know_are_kept():
    run = AgentRun.model_validate({"id": 1, "organization_id": 1, "status": "REVIEWING", "colour": "blue"})
    assert run["colour"] == "blue"
    assert run.model_dump()["colour"] == "blue"
    assert not run.is_terminal


def test_logs_answer_as_the_documented_samples_use_them():
    page = AgentRunWithLogs.model_validate(
        {"id": 1, "organization_id": 1, "logs": [{"agent_run_id": 1, "message_type": "ACTION", "thought": None}]}
    )
    assert [(log["message_type"], log.get("thought", "")) for log in page["logs"]] == [("ACTION", "")]


def test_an_event_is_told_apart_by_its_kind():
    adapter = TypeAdapter(RunEvent)
    status = {"event": "status", "id": 2, "agent_run_id": 1, "turn": 1, "status": "RUNNING", "created_at": "now"}
    log = {"event": "log", "id": 1, "agent_run_id": 1, "turn": 1, "position": 0, "entry": {"agent_run_id": 1}}
    assert isinstance(adapter.validate_python(status), StatusEvent)
    assert isinstance(adapter.validate_python(log), LogEvent)


@given(st.integers(0, 500), st.integers(1, 100))
def test_pages_cut_a_list_without_gap_or_overlap(total, size):
    things = list(range(total))
    pages = Window(0, size).count(total)
    windows = [Window(number * size, size) for number in range(pages)]
    cut = [w.page_of(things[w.skip : w.skip + w.limit], total) for w in windows]
    assert [thing for page in cut for thing in page.items] == things
    assert [page.page for page in cut] == list(range(1, pages + 1))
    assert {(page.total, page.pages, page.size) for page in cut} == {(total, pages, size)}
