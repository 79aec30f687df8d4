"""What the deployments rely on: replicas that begin together, a database that goes away, and a rolling restart."""

import os
import secrets
import signal
from pathlib import Path

import httpx2
import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from deploy.conftest import TERMINAL
from postgresql import running_postgresql
from waiting import until

pytestmark = pytest.mark.once
TOKEN = secrets.token_urlsafe(32)


@pytest.fixture(scope="module")
def postgresql():
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def settings(postgresql, tmp_path_factory):
    """The settings that all replicas share, with the secrets in files."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "database-url").write_text(f"{postgresql.database()}\n")
    (folder / "admin-token").write_text(f"{TOKEN}\n")
    return {
        "CONTEXTEN_DATABASE_URL_FILE": str(folder / "database-url"),
        "CONTEXTEN_ADMIN_TOKEN_FILE": str(folder / "admin-token"),
        "CONTEXTEN_CONCURRENCY": "2",
        "CONTEXTEN_DRAIN": "0.1",
    }


@pytest.fixture(scope="module")
def replicas(start, settings):
    """Three that were started at once on an empty database."""
    begun = [start(name, TOKEN, **settings) for name in ("one", "two", "three")]
    return [replica.ready() for replica in begun]


def test_three_that_start_at_once_share_one_organization_and_its_admin(replicas):
    seen = [replica.http.get("/v1/users/me").json() for replica in replicas]
    assert seen == [seen[0]] * 3
    assert seen[0]["role"] == "ADMIN"
    for replica in replicas:
        assert (replica.status("/livez"), replica.status("/readyz"), replica.figure("contexten_ready")) == (200, 200, 1)
        assert TOKEN not in replica.errors
        assert replica.errors == ""


def test_the_port_of_the_figures_has_nothing_else_and_knows_its_names(replicas):
    url = replicas[0].metrics_url
    assert httpx2.get(url, timeout=60).status_code == 200
    assert httpx2.get(url.replace("/metrics", "/v1/engines"), timeout=60).status_code == 404
    assert httpx2.get(url, headers={"Host": "rebound.example"}, timeout=60).status_code == 400


@pytest.fixture
def database(postgresql, settings):
    """A connection beside the replicas' database, and its name."""
    name = make_url(Path(settings["CONTEXTEN_DATABASE_URL_FILE"]).read_text().strip()).database
    with psycopg.connect(postgresql.url, autocommit=True) as connection:
        yield connection, name


def check_probes(replicas, ready):
    for replica in replicas:
        until(lambda replica=replica: replica.status("/readyz"), lambda status: status == (200 if ready else 503))
        assert replica.status("/livez") == 200
        until(lambda replica=replica: replica.figure("contexten_ready"), lambda figure: figure == int(ready))


def test_replicas_that_cannot_reach_their_database_are_alive_but_not_ready(replicas, database):
    connection, name = database
    connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        check_probes(replicas, ready=False)
    finally:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    check_probes(replicas, ready=True)


def test_a_database_that_only_hangs_is_noticed_too(replicas, database):
    connection, name = database
    serving = [pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [name])]
    stopped = [psutil.Process(serving[0]).ppid(), *serving]  # the one that takes new connections, too
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        check_probes(replicas, ready=False)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    check_probes(replicas, ready=True)


def test_replicas_that_are_replaced_lose_no_run(replicas, start, settings):
    runs = {replicas[0].create(f"run-{number}"): f"run-{number}" for number in range(6)}
    until(lambda: [replicas[0].run(run_id)["status"] for run_id in runs], lambda seen: set(seen) == {"RUNNING"})
    reader, *_ = [one.ready() for one in [start(f"new-{number}", TOKEN, **settings) for number in range(3)]]
    for old in replicas:
        old.tell_to_stop()
    assert [old.end() for old in replicas] == [0, 0, 0]
    for prompt in runs.values():
        (start.folder / prompt).touch()
    until(lambda: [reader.run(run_id)["status"] for run_id in runs], TERMINAL.issuperset)
    for run_id in runs:
        assert reader.run(run_id)["status"] == "COMPLETE"
        assert reader.thoughts(run_id).count("released") == 1


def test_a_server_that_was_told_to_stop_ends_what_is_under_way_and_begins_nothing(start):
    settings = {"CONTEXTEN_ADMIN_TOKEN": TOKEN, "CONTEXTEN_DRAIN": "120"}
    alone = start("alone", TOKEN, **settings).ready()
    run = alone.create("under-way")
    until(lambda: alone.run(run)["status"], lambda status: status == "RUNNING")
    alone.tell_to_stop()
    until(lambda: alone.status("/readyz"), lambda status: status == 503)
    late = alone.create("late")
    assert (alone.status("/livez"), alone.run(run)["status"], alone.run(late)["status"]) == (200, "RUNNING", "PENDING")
    (start.folder / "under-way").touch()
    assert alone.end() == 0

    again = start("alone", TOKEN, **settings).ready()
    assert again.run(run)["status"] == "COMPLETE"
    assert again.thoughts(run) == ["taken up by alone", "released"]
    (start.folder / "late").touch()
    until(lambda: again.run(late)["status"], lambda status: status == "COMPLETE")
