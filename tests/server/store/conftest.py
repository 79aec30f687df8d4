"""A store on each of the two databases, fresh for each test."""

from dataclasses import dataclass, field

import pytest
from sqlalchemy import create_engine, inspect, make_url

from contexten.server.store import NewRun, Store
from contexten.settings import ServerSettings


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def empty_databases(postgresql):
    """Makes databases of a PostgreSQL server, and names their addresses."""
    return postgresql.database


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
