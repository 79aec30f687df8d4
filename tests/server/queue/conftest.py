"""A store on each database, and a queue over it with engines of many manners."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from contexten.engines.base import Engines
from contexten.protocol import Window
from contexten.server.queue import Pace, Queue
from contexten.server.queue.durable import Durable
from contexten.server.store import Store
from contexten.server.store.records import NewRun
from contexten.settings import ServerSettings
from server.queue.engines_at_work import Blocking, Misbehaving, Noop, Stepping, Stubborn, Waiting
from server.queue.patience import until

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Pace(scan=0.3, watch=0.1, beat=0.1, dead_after=0.6, grace=0.3, claim=0.2)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def template(postgresql, tmp_path_factory):
    """The name of a database that has all tables already, to make others from."""
    url = postgresql.database()
    folder = tmp_path_factory.mktemp("template")
    store = Store.open(ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=folder, CONTEXTEN_DATABASE_URL=url))
    durable = Durable(store.url, "template", {}, lambda _: None)
    durable.open()
    durable.close()
    store.close()
    return make_url(url).database


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path):
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").database(request.getfixturevalue("template"))
    return ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=tmp_path / "data", CONTEXTEN_DATABASE_URL=url)


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


class Place:
    """A store with one repository, a queue over it, and short ways to use both."""

    def __init__(self, settings: ServerSettings, repo: Path) -> None:
        self.settings = settings
        self.repo = repo
        self.noop, self.stepping, self.waiting = Noop(), Stepping(), Waiting()
        self.stubborn, self.blocking, self.misbehaving = Stubborn(), Blocking(), Misbehaving()
        self.engines = Engines([self.noop, self.stepping, self.waiting, self.stubborn, self.blocking, self.misbehaving])
        self.store = Store.open(settings)
        self.queue = Queue(settings, self.store, self.engines, pace=QUICK)

    async def open(self) -> None:
        first = await self.store.people.first_start()
        self.organization_id, self.user_id = first[0].id, first[1].id
        await self.store.repos.add(self.organization_id, path=str(self.repo), name="shop")
        await self.queue.start()

    async def restart(self, engines: Engines | None = None) -> None:
        await self.queue.stop(0)
        self.queue = Queue(self.settings, self.store, engines or self.engines, pace=QUICK)
        await self.queue.start()

    async def create(self, engine: str, prompt: str = "do it", **rest: object) -> int:
        run, _ = await self.store.runs.create(
            NewRun(organization_id=self.organization_id, user_id=self.user_id, prompt=prompt, engine=engine, **rest)
        )
        self.queue.wake()
        return run.id

    async def cancel(self, run_id: int) -> None:
        run, _ = await self.store.runs.cancel(self.organization_id, run_id)
        await self.queue.cancel(run_id, run.turn)

    async def run(self, run_id: int):
        return await self.store.runs.get(self.organization_id, run_id)

    async def status(self, run_id: int) -> str:
        return (await self.run(run_id)).status

    async def ended(self, run_id: int):
        await until(lambda: self._has_ended(run_id))
        return await self.run(run_id)

    async def _has_ended(self, run_id: int) -> bool:
        return (await self.run(run_id)).finished_at is not None

    async def log(self, run_id: int):
        _, entries = await self.store.events.logs(self.organization_id, run_id, Window())
        return [entry for entry in entries if entry.message_type != "USER_MESSAGE"]

    async def statuses(self, run_id: int) -> list[str]:
        events = await self.store.events.after(0, run_id=run_id)
        return [event.status for _, event in events if event.event == "status"]


@pytest.fixture
async def place(settings, repo, anyio_backend):
    place = Place(settings, repo)
    await place.open()
    yield place
    place.stubborn.gave_up.set()
    with contextlib.suppress(asyncio.CancelledError):
        await place.queue.stop(0)
    place.store.close()
