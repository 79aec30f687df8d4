"""Servers on PostgreSQL: what happens at one is seen live at the other, and a database that goes away is told."""

from __future__ import annotations

import json
import threading

import psycopg
import pytest
from sqlalchemy import make_url

from contexten.client.local import LocalCredentials
from running_server import Caller, running


@pytest.fixture
def database(postgresql):
    return postgresql.database()


def follow(caller, path, seen, opened):
    with caller.http.stream("GET", path, timeout=60) as response:
        for line in response.iter_lines():
            opened.set()
            if line.startswith("data: "):
                seen.append(json.loads(line.removeprefix("data: ")))


def test_a_run_is_watched_at_one_process_and_stopped_at_the_other(program, database, tmp_path):
    (tmp_path / "two").mkdir()
    _, base_url = program(CONTEXTEN_DATABASE_URL=database, CONTEXTEN_WORKER_ID="one")
    token = LocalCredentials.read(tmp_path / "data").token
    one = Caller(base_url, 1, token)
    assert one.http.get("/health").json()["database"] == "postgresql"
    run = one.create("watched elsewhere", engine="quiet")
    more = {"CONTEXTEN_DATABASE_URL": database, "CONTEXTEN_WORKER_ID": "two"}
    LocalCredentials("http://127.0.0.1:1", token, 1).write(tmp_path / "two" / "data")
    with running(tmp_path / "two", **more) as place:
        seen, opened = [], threading.Event()
        path = place.admin.url(f"/agent/run/{run['id']}/events")
        watcher = threading.Thread(target=follow, args=(place.admin, path, seen, opened))
        watcher.start()
        assert opened.wait(150)
        one.until(run["id"], lambda run: run["status"] == "RUNNING")
        one.http.post("/v1/beta/organizations/1/agent/run/stop", json={"agent_run_id": run["id"]})
        watcher.join(150)
        assert [event["status"] for event in seen if event["event"] == "status"][-1] == "CANCELLED"
        ids = [event["id"] for event in seen]
        assert ids == sorted(set(ids))
        with place.admin.http.stream("GET", place.admin.url("/events?kinds=deleted"), timeout=60) as stream:
            told = (line for line in stream.iter_lines() if line.startswith("event: "))
            assert next(told) == "event: open"
            assert one.http.delete(one.url(f"/agent/run/{run['id']}")).status_code == 200
            assert next(told) == "event: deleted"
        assert one.read(place.admin.finished("at two", engine="echo")["id"])["result"] == "at two"
    one.http.close()


@pytest.fixture
def switch(postgresql, database):
    """Closes the database to everybody, or opens it again."""
    name = make_url(database).database

    def allow(allowed):
        with psycopg.connect(postgresql.url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    return allow


def test_a_database_that_goes_away_is_a_503_until_it_is_back(program, database, switch, tmp_path):
    _, base_url = program(CONTEXTEN_DATABASE_URL=database)
    caller = Caller(base_url, 1, LocalCredentials.read(tmp_path / "data").token)
    first = caller.create(engine="quiet")["id"]
    switch(False)
    create = caller.http.post(caller.url("/agent/run"), json={"prompt": "p"}, timeout=60)
    for answer in (create, caller.http.get("/health", timeout=60), caller.http.get("/v1/users/me", timeout=60)):
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"]
        assert make_url(database).database not in answer.text
    switch(True)
    assert caller.create(engine="quiet")["id"] > first
    caller.http.close()
