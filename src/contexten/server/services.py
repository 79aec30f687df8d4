"""What the routes work with: the parts of one running server, opened and closed together."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.engines.workspace import CHECKOUTS, close
from contexten.errors import DataDirectoryInUseError, SettingsError
from contexten.protocol import EngineInfo, SignInLink
from contexten.server.credentials import leave_credentials
from contexten.server.home import FIRST_ORGANIZATION, Home
from contexten.server.limits import RequestLimits
from contexten.server.live.hub import Hub
from contexten.server.lock import DataLock
from contexten.server.queue import Queue
from contexten.server.queue.copies import sweep_copies
from contexten.server.readiness import Readiness
from contexten.server.store import Store
from contexten.server.store.columns import iso
from contexten.server.workflows.advancer import Advancer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from contexten.engines import Engines
    from contexten.settings import ServerSettings


@dataclass(slots=True)
class Services:
    """The parts of one running server."""

    settings: ServerSettings
    engines: Engines
    store: Store
    home: Home
    queue: Queue
    workflows: Advancer
    hub: Hub
    limits: RequestLimits
    readiness: Readiness
    base_url: str
    """Where this process serves, without a slash at the end."""

    @property
    def public_url(self) -> str:
        """Where people reach the server, without a slash at the end."""
        return (self.settings.public_url or self.base_url).rstrip("/")

    async def sign_in_link(self, token_id: int) -> SignInLink:
        """A link that signs one browser in, once, as the user of a token."""
        code, expires_at = await self.store.sign_ins.create_link(token_id)
        return SignInLink(url=f"{self.public_url}/?code={code}", expires_at=iso(expires_at))

    def engine_infos(self) -> list[EngineInfo]:
        """The engines and whether each can work now."""
        infos = []
        for engine in self.engines:
            state = engine.availability()
            default = engine.name == self.settings.default_engine
            infos.append(EngineInfo(name=engine.name, ready=state.ready, detail=state.detail, default=default))
        return infos


@asynccontextmanager
async def running_services(
    settings: ServerSettings, engines: Engines, base_url: str, *, passing: bool = False
) -> AsyncIterator[Services]:
    """Open everything that a server runs on, and close it in the opposite order.

    Args:
        settings: what to open.
        engines: who does the runs.
        base_url: where it serves.
        passing: whether that address is gone soon: the credentials file then keeps the one that it has.

    Raises:
        SettingsError: the default engine or the repository does not exist.
        DataDirectoryInUseError: another process holds the data folder.
        StoreUnavailableError: the database is out of reach.
    """
    if settings.default_engine not in engines:
        names = ", ".join(engine.name for engine in engines)
        raise SettingsError(f"There is no engine {settings.default_engine!r} (CONTEXTEN_ENGINE). Engines: {names}.")
    close(settings.data_dir)
    lock = DataLock(settings.data_dir)
    if settings.database_url is None:
        lock.acquire(base_url)
    elif not passing:
        _leave_note(lock, base_url)
    try:
        store = await asyncio.to_thread(Store.open, settings)
        try:
            await leave_credentials(settings, store, None if passing else base_url)
            home = Home(settings, store)
            if not passing or settings.repo or await store.repos.first(FIRST_ORGANIZATION) is None:
                await home.register()
            async with _working(settings, engines, store, home, base_url) as services:
                yield services
        finally:
            await asyncio.to_thread(store.close)
    finally:
        lock.release()


@asynccontextmanager
async def _working(
    settings: ServerSettings, engines: Engines, store: Store, home: Home, base_url: str
) -> AsyncIterator[Services]:
    hub = Hub(store)
    queue = Queue(settings, store, engines, show=hub.say)
    limits = RequestLimits(enabled=settings.rate_limits)
    readiness = Readiness(store, queue)
    async with hub:
        await queue.start()
        sweeping = asyncio.create_task(sweep_copies(store, settings.data_dir / CHECKOUTS), name="copies")
        try:
            async with Advancer(settings, store, queue, engines) as workflows:
                yield Services(settings, engines, store, home, queue, workflows, hub, limits, readiness, base_url)
        finally:
            readiness.close()
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            await queue.stop()


def _leave_note(lock: DataLock, base_url: str) -> None:
    """Tell commands on this machine where the server is, unless another one of the same database does already."""
    with suppress(DataDirectoryInUseError, SettingsError):
        lock.acquire(base_url)


def configured_url(settings: ServerSettings) -> str:
    """The address that the settings say."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
