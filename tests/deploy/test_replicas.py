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

from deploy.conftest import TERMINAL, until
from postgresql import running_postgresql

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
    }


@pytest.fixture(scope="module")
def replicas(start, settings):
    """Three that were started at once on an empty database; the first takes its time to stop."""
    drains = {"one": "90", "two": "0.1", "three": "0.1"}
    begun = [start(name, TOKEN, **settings, CONTEXTEN_DRAIN=drain) for name, drain in drains.items()]
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


def who(reader, run_id):
    """The replicas that have taken up a run, in that order."""
    return [thought.rpartition(" ")[2] for thought in reader.thoughts(run_id) if thought.startswith("taken up by")]


def test_a_rolling_restart_loses_no_run(replicas, start, settings):
    one, two, three = replicas
    runs = {one.create(f"run-{number}"): f"run-{number}" for number in range(6)}
    until(lambda: [who(two, run_id) for run_id in runs], all)
    drained = [run_id for run_id in runs if who(two, run_id) == ["one"]]
    assert drained

    one.tell_to_stop()
    until(lambda: one.status("/readyz"), lambda status: status == 503)
    assert (one.status("/livez"), one.figure("contexten_ready")) == (200, 0)
    late = one.create("late")  # requests are answered as before; others do what they ask for
    runs[late] = "late"
    fresh = [start(name, TOKEN, **settings).ready() for name in ("four", "five")]
    reader = fresh[0]
    for run_id in drained:
        (start.folder / runs[run_id]).touch()
    until(lambda: [reader.run(run_id)["result"] for run_id in drained], lambda ends: set(ends) == {"one"})
    until(lambda: who(reader, late))
    assert one.end() == 0

    for replica in (two, three):
        replica.tell_to_stop()
        assert replica.end() == 0
    for prompt in runs.values():
        (start.folder / prompt).touch()
    until(lambda: [reader.run(run_id)["status"] for run_id in runs], TERMINAL.issuperset)
    for run_id in runs:
        assert reader.run(run_id)["status"] == "COMPLETE"
        assert reader.thoughts(run_id).count("released") == 1
    assert all(who(reader, run_id) == ["one"] for run_id in drained)
    assert "one" not in who(reader, late)
    assert "Told to stop" in one.errors
    for replica in fresh:
        replica.tell_to_stop()
        assert replica.end() == 0
