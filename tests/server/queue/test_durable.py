import base64
import concurrent.futures
import json
import logging
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from contexten.errors import UsageError
from contexten.server.queue.durable import Durable, Waiting
from waiting import until

PROGRAM = Path(__file__).with_name("durable_program.py")
SOURCES = Path(__file__).parents[3] / "src"


def test_sqlite_works_whatever_the_version_that_this_python_has(tmp_path):
    """CI runs this on every Python."""
    ended = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path / "queue.sqlite")],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.stdout == "done\n", ended.stderr
    assert ended.stderr == "", "DBOS says nothing of its own"


class Turns:
    """Keeps which turns were given out; they end when they are told to."""

    def __init__(self):
        self.given = []
        self.futures = []
        self.more = threading.Condition()

    def work(self, waiting):
        ended = concurrent.futures.Future()
        with self.more:
            self.given.append(waiting)
            self.futures.append(ended)
            self.more.notify_all()
        return ended

    def wait_for(self, count):
        with self.more:
            assert self.more.wait_for(lambda: len(self.given) >= count, 150), self.given
            return list(self.given)


@pytest.fixture
def turns():
    return Turns()


@pytest.fixture
def durable(tmp_path, turns):
    durable = Durable(f"sqlite:///{tmp_path / 'queue.sqlite'}", "local", {"slow": 2}, turns.work)
    durable.open()
    yield durable
    durable.close()


def statuses(path):
    with sqlite3.connect(path, timeout=60) as connection:
        rows = connection.execute("SELECT workflow_uuid, status FROM workflow_status").fetchall()
    connection.close()
    return dict(rows)


def test_a_turn_is_given_out_once_however_often_it_is_enqueued(durable, turns):
    for _ in range(3):
        durable.enqueue([Waiting(1, 1, "slow")])
    durable.enqueue([Waiting(1, 2, "slow")])
    given = turns.wait_for(2)
    assert len(given) == 2
    assert {*given} == {Waiting(1, 1, "slow"), Waiting(1, 2, "slow")}  # both at once: in either order
    durable.enqueue([Waiting(1, 1, "slow"), Waiting(2, 1, "slow")])
    for future in turns.futures:
        future.set_result(None)
    assert turns.wait_for(3)[2:] == [Waiting(2, 1, "slow")]


def test_no_more_than_the_limit_at_a_time_and_the_next_without_delay(durable, turns):
    durable.enqueue([Waiting(number, 1, "slow") for number in range(1, 5)])
    assert len(turns.wait_for(2)) == 2
    turns.futures[0].set_result(None)
    assert len(turns.wait_for(3)) == 3
    turns.futures[1].set_result(None)
    assert len(turns.wait_for(4)) == 4


def test_what_had_not_ended_is_given_out_again_at_the_next_start(tmp_path, turns):
    url = f"sqlite:///{tmp_path / 'queue.sqlite'}"
    first = Durable(url, "local", {"slow": 2}, turns.work)
    first.open()
    first.enqueue([Waiting(number, 1, "slow") for number in (1, 2, 3)])
    turns.wait_for(2)
    first.close()
    assert statuses(tmp_path / "queue.sqlite") == {"run-1-1": "PENDING", "run-2-1": "PENDING", "run-3-1": "ENQUEUED"}

    second = Turns()
    again = Durable(url, "local", {"slow": 3}, second.work)
    again.open()
    assert {waiting.run_id for waiting in second.wait_for(3)} == {1, 2, 3}
    again.close()


def test_reconcile_enqueues_what_has_no_workflow_or_an_ended_one(durable, turns, tmp_path):
    ended, under_way, missing = (Waiting(number, 1, "slow") for number in (1, 2, 3))
    durable.enqueue([ended, under_way])
    turns.wait_for(2)
    turns.futures[turns.given.index(ended)].set_result(None)
    until(lambda: statuses(tmp_path / "queue.sqlite")["run-1-1"] == "SUCCESS")

    durable.reconcile([ended, under_way, missing], alone=True)
    assert turns.wait_for(3)[2] in {ended, missing}
    turns.futures[2].set_result(None)
    assert set(turns.wait_for(4)[2:]) == {ended, missing}


def test_old_ended_workflows_are_cleared_and_the_rest_stays(durable, turns, tmp_path):
    durable.enqueue([Waiting(1, 1, "slow"), Waiting(2, 1, "slow")])
    turns.wait_for(2)
    turns.futures[turns.given.index(Waiting(1, 1, "slow"))].set_result(None)
    until(lambda: statuses(tmp_path / "queue.sqlite")["run-1-1"] == "SUCCESS")
    assert durable.prune(timedelta(hours=1)) == 0
    assert durable.prune(timedelta(0)) == 1
    assert set(statuses(tmp_path / "queue.sqlite")) == {"run-2-1"}


def test_a_second_queue_in_one_process_is_refused(durable, tmp_path, turns):
    with pytest.raises(UsageError, match="already runs a queue"):
        Durable(f"sqlite:///{tmp_path / 'other.sqlite'}", "local", {}, turns.work).open()
    durable.enqueue([Waiting(1, 1, "slow")])
    turns.wait_for(1)


def test_a_row_that_claims_to_be_pickled_is_not_unpickled(durable, turns, tmp_path, caplog):
    class Harm:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "harm"),))

    durable.enqueue([Waiting(1, 1, "slow"), Waiting(2, 1, "slow")])
    turns.wait_for(2)
    durable.enqueue([Waiting(3, 1, "slow")])
    payload = base64.b64encode(pickle.dumps(Harm())).decode()
    with sqlite3.connect(tmp_path / "queue.sqlite", timeout=60) as connection:
        (inputs,) = connection.execute("SELECT inputs FROM workflow_input WHERE workflow_uuid = 'run-3-1'").fetchone()
        connection.execute("UPDATE workflow_input SET inputs = ? WHERE workflow_uuid = 'run-3-1'", [payload])
        connection.execute("UPDATE workflow_status SET serialization = 'py_pickle' WHERE workflow_uuid = 'run-3-1'")
    connection.close()
    assert json.loads(inputs)["positionalArgs"] == [3, 1, "slow"]
    with caplog.at_level(logging.ERROR, "dbos"):
        durable.enqueue([Waiting(4, 1, "slow")])
        turns.futures[0].set_result(None)
        turns.futures[1].set_result(None)
        assert turns.wait_for(3)[2] == Waiting(4, 1, "slow")
    assert not (tmp_path / "harm").exists()
    assert "Pickle is not used here" in caplog.text
