import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from contexten.errors import StoreError
from contexten.server.store import Store
from contexten.server.store.connections import connect
from contexten.server.store.tables import metadata

OPEN = """
import sys
from contexten.server.store import Store
from contexten.settings import ServerSettings
sys.stdin.readline()
Store.open(ServerSettings(_env_file=None)).close()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    """A database that no store has opened yet."""
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path}/contexten.sqlite")
    else:
        made = create_engine(
            make_url(request.getfixturevalue("empty_databases")()).set(drivername="postgresql+psycopg")
        )
    yield made
    made.dispose()


@pytest.fixture
def environment(engine, tmp_path):
    variables = {"CONTEXTEN_DATA_DIR": str(tmp_path)}
    if engine.dialect.name == "postgresql":
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        variables["CONTEXTEN_DATABASE_URL"] = url
    return variables


@pytest.fixture
def open_store(environment, monkeypatch):
    from contexten.settings import ServerSettings

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return lambda: Store.open(ServerSettings(_env_file=None))


def test_migrations_make_the_tables_that_the_code_uses(engine, open_store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    open_store().close()
    options = {"version_table": "contexten_version", "compare_type": True, "include_name": is_ours}
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    assert differences == []


def is_ours(name, kind, _parents):
    return kind != "table" or not name.startswith("event_words")


def test_opening_again_changes_nothing(engine, open_store):
    open_store().close()
    before = inspect(engine).get_table_names()
    open_store().close()
    assert inspect(engine).get_table_names() == before


def test_a_database_of_the_first_version_is_brought_up_with_all_that_is_in_it(engine, open_store):
    store = open_store()
    first = asyncio.run(store.people.first_start())
    store.close()
    with engine.begin() as connection:
        for later in ("sequences", "workflow_runs", "workflows", "diffs", "sign_in_links", "notices"):
            connection.execute(text(f"DROP TABLE {later}"))
        for later in ("status", "engine"):
            connection.execute(text(f"DROP INDEX ix_runs_organization_id_{later}_id"))
        for later in ("expires_at", "made_by"):
            connection.execute(text(f"ALTER TABLE tokens DROP COLUMN {later}"))
        connection.execute(text("UPDATE contexten_version SET version_num = '0001'"))
    store = open_store()
    assert asyncio.run(store.people.identify(first[2])).organization_id == first[0].id
    store.close()
    assert {"sequences", "workflow_runs", "workflows", "diffs", "notices"} <= set(inspect(engine).get_table_names())


def test_processes_that_start_at_once_make_the_tables_once(engine, environment):
    command = [sys.executable, "-c", OPEN]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=os.environ | environment, **pipes) for _ in range(3)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=150)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert "runs" in inspect(engine).get_table_names()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_new_file_that_is_locked_for_longer_than_usual_is_waited_for(environment, open_store):
    path = f"{environment['CONTEXTEN_DATA_DIR']}/contexten.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(1.5, other.execute, ["ROLLBACK"])
        release.start()
        open_store().close()
        release.join()


def test_a_database_of_a_newer_version_is_left_alone(engine, open_store):
    open_store().close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE contexten_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer than this Contexten's"):
        open_store()


def test_whoever_migrates_a_postgresql_waits_longer_than_others(empty_databases):
    engine = connect(make_url(empty_databases()).set(drivername="postgresql+psycopg"), connections=1)

    def limits(**options):
        with engine.execution_options(contexten_writes=True, **options).begin() as connection:
            return [connection.scalar(text(f"SHOW {name}")) for name in ("lock_timeout", "statement_timeout")]

    assert limits(contexten_patience=30) == ["30s", "0"]
    assert limits() == ["10s", "1min"]
    engine.dispose()
