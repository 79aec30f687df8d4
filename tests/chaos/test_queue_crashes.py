"""`kill -9` at any moment: each run ends once, and its log has each entry once."""

import asyncio
import random
import signal
import time
from collections import Counter

import psycopg
import pytest

from contexten.protocol import Window, is_terminal
from contexten.server.store import Store
from contexten.settings import ServerSettings

pytestmark = pytest.mark.chaos
RUNS = 50


def read(environment, monkeypatch):
    """All runs, the status events of each, and the thoughts in the log of each."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = Store.open(ServerSettings(_env_file=None))

    async def work():
        runs, total = await store.runs.list(1, Window(limit=1000))
        assert total == len(runs)
        seen = {run.id: (run, [], Counter()) for run in runs}
        after = 0
        while events := await store.events.after(after):
            for _, event in events:
                after = event.id
                _, statuses, thoughts = seen[event.agent_run_id]
                if event.event == "status":
                    statuses.append(event.status)
                elif event.entry.thought:
                    thoughts[event.entry.thought.split(" by ")[0]] += 1
        return list(seen.values())

    try:
        return asyncio.run(work())
    finally:
        store.close()


def check_each_ended_once(seen, steps):
    for run, statuses, thoughts in seen:
        assert run.status == "COMPLETE", (run.id, run.status, run.result)
        assert [status for status in statuses if is_terminal(status)] == ["COMPLETE"], (run.id, statuses)
        assert statuses[-1] == "COMPLETE", (run.id, statuses)
        assert thoughts == {f"step {number}": 1 for number in range(steps)}, (run.id, thoughts)


def test_fifty_runs_end_once_each_though_the_server_is_killed_twice(environment, start, monkeypatch):
    created = set()
    for _ in range(2):
        worker = start(environment, "--create", RUNS, "--expect", RUNS)
        assert worker.wait_for("started")
        worker.kill(after=random.uniform(0.0, 1.2))
        created.update(worker.created)
    last = start(environment, "--create", RUNS, "--expect", RUNS)
    assert last.wait_for("done"), last.errors
    assert last.end() == 0
    assert last.errors == []

    seen = read(environment, monkeypatch)
    assert len(seen) == RUNS
    assert created <= {run.id for run, _, _ in seen}, "a run that was acknowledged is kept"
    check_each_ended_once(seen, steps=5)


def test_a_run_that_kills_the_server_each_time_is_given_up_after_three(start, tmp_path, monkeypatch):
    environment = {"CONTEXTEN_DATA_DIR": str(tmp_path / "data")}
    order = ("--create", 1, "--expect", 1, "--engine", "misbehaving", "--prompt", "kill")
    for _ in range(3):
        assert start(environment, *order).end() == -signal.SIGKILL
    last = start(environment, *order)
    assert last.wait_for("done"), last.errors
    last.end()
    ((run, statuses, _),) = read(environment, monkeypatch)
    assert statuses[-1] == run.status == "ERROR"
    assert "ended unexpectedly each of the 3 times" in run.result


def test_another_worker_takes_over_the_turns_of_one_that_died(postgresql_environment, start, tmp_path, monkeypatch):
    gate = tmp_path / "gate"
    order = ("--moment", 0.1, "--concurrency", 10, "--expect", 30, "--gate", gate)
    other = start({**postgresql_environment, "CONTEXTEN_WORKER_ID": "other"}, *order)
    assert other.wait_for("started")
    killed = start({**postgresql_environment, "CONTEXTEN_WORKER_ID": "killed"}, "--create", 30, *order)
    assert killed.wait_for("created 30")
    assert killed.wait_for("begun")
    killed.kill()
    gate.touch()
    assert other.wait_for("done"), other.errors
    assert any("turns under way are taken over" in line for line in other.errors)
    seen = read(postgresql_environment, monkeypatch)
    assert len(seen) == 30
    check_each_ended_once(seen, steps=5)


def freeze(worker, url):
    """Stop a process where it is, but not in the middle of a transaction that would hold up the others."""
    under_way = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND state <> 'idle' AND query NOT LIKE '%pg_try_advisory_xact_lock%'"""
    with psycopg.connect(url, autocommit=True) as connection:
        worker.process.send_signal(signal.SIGSTOP)
        quiet = 0  # looks in a row: a statement that was just sent is seen only when the database has read it
        while quiet < 5:
            quiet = quiet + 1 if connection.execute(under_way).fetchone() == (0,) else 0
            if not quiet:
                worker.process.send_signal(signal.SIGCONT)
                time.sleep(0.005)
                worker.process.send_signal(signal.SIGSTOP)
            time.sleep(0.01)


def test_a_worker_that_was_only_slow_does_not_end_a_run_again(postgresql_environment, start, tmp_path, monkeypatch):
    gate = tmp_path / "gate"
    order = ("--moment", 0.1, "--concurrency", 3, "--dead-after", 1.0, "--expect", 6, "--gate", gate)
    slow = start({**postgresql_environment, "CONTEXTEN_WORKER_ID": "slow"}, "--create", 6, *order)
    assert slow.wait_for("created 6")
    assert slow.wait_for("begun")
    freeze(slow, postgresql_environment["CONTEXTEN_DATABASE_URL"])
    other = start({**postgresql_environment, "CONTEXTEN_WORKER_ID": "other"}, *order)
    assert other.wait_for("turns under way are taken over"), other.errors
    slow.process.send_signal(signal.SIGCONT)
    gate.touch()
    assert other.wait_for("done"), other.errors
    check_each_ended_once(read(postgresql_environment, monkeypatch), steps=5)
