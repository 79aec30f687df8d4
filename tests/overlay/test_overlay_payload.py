"""The payload's rules that need no `codegen`: what counts as a change, and that its doors are the telemetry's."""

from __future__ import annotations

import threading
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.overlay import contents
from contexten.overlay.payload import _tasks
from contexten.overlay.payload._tasks import TaskState
from contexten.protocol import RunStatus
from contexten.protocol.status import TERMINAL

STATUSES = st.sampled_from([*(str(status) for status in RunStatus), "completed", "Running", "SOMETHING_NEW"])


def test_the_statuses_that_end_a_run_are_those_of_the_protocol():
    assert {str(status) for status in TERMINAL} == _tasks.OVER


@given(STATUSES, st.lists(STATUSES))
def test_changes_are_reported_once_and_none_after_the_end(first, later):
    state = TaskState(first)
    moves = [(word, move) for word in later if (move := state.move(word))]
    over = [_tasks.is_over(word) for word, _ in moves]
    assert [move.ended for _, move in moves] == over
    assert True not in over[:-1]
    for (before, _), (word, move) in zip([(first, None), *moves], moves, strict=False):
        assert move.old == _tasks.word(before) != _tasks.word(word)
    assert not (_tasks.is_over(first) and moves)


def test_threads_agree_on_one_end():
    for _ in range(50):
        state, ends = TaskState("RUNNING"), []
        barrier = threading.Barrier(8)

        def look(state=state, ends=ends, barrier=barrier):
            barrier.wait()
            if state.move("COMPLETE"):
                ends.append(1)
            if state.time_out():
                ends.append(2)

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ends == [1]


@pytest.mark.parametrize(("door", "room"), [("events", "events"), ("metrics", "metrics"), ("monitoring", "health")])
def test_a_door_has_names_of_the_file_that_is_installed_under_its_name(door, room):
    names = set(import_module(f"contexten.overlay.payload.{door}").__all__)
    assert names <= set(import_module(f"contexten.telemetry.{room}").__all__)
    assert contents.sources()[f"{door}.py"].name == f"{room}.py"


def test_what_is_installed_needs_nothing_of_contexten():
    for name, text in contents.payload().items():
        lines = [line.strip() for line in text.decode().splitlines()]
        imports = [line for line in lines if line.startswith(("import contexten", "from contexten"))]
        assert imports in ([], ["from contexten.overlay.bridge import receive"]), name
