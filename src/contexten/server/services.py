"""What the routes work with: the parts of one running server, opened and closed together."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.client.local import LocalCredentials
from contexten.engines.workspace import close
from contexten.errors import DataDirectoryInUseError, SettingsError
from contexten.protocol import EngineInfo, Role, Window
from contexten.server.home import FIRST_ORGANIZATION, Home
from contexten.server.limits import RequestLimits
from contexten.server.live.hub import Hub
from contexten.server.lock import DataLock
from contexten.server.queue import Queue
from contexten.server.store import Store
from contexten.server.workflows.advancer import Advancer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from contexten.engines import Engines
    from contexten.settings import ServerSettings

_LOG = logging.getLogger("contexten.server")


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
    base_url: str
    """Where this process serves, without a slash at the end."""

    @property
    def public_url(self) -> str:
        """Where people reach the server, without a slash at the end."""
        return (self.settings.public_url or self.base_url).rstrip("/")

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
            await _leave_credentials(settings, store, None if passing else base_url)
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
    hub, queue = Hub(store), Queue(settings, store, engines)
    limits = RequestLimits(enabled=settings.rate_limits)
    async with hub:
        await queue.start()
        try:
            async with Advancer(settings, store, queue, engines) as workflows:
                yield Services(settings, engines, store, home, queue, workflows, hub, limits, base_url)
        finally:
            await queue.stop()


def _leave_note(lock: DataLock, base_url: str) -> None:
    """Tell commands on this machine where the server is, unless another one of the same database does already."""
    with suppress(DataDirectoryInUseError, SettingsError):
        lock.acquire(base_url)


async def _leave_credentials(settings: ServerSettings, store: Store, base_url: str | None) -> None:
    """Leave a token of the first organization, and the address, where clients on this machine find them.

    A lost or foreign file gets a new token when the database is a file of the same folder: whoever can write one can
    write the other. Without a `base_url` the address stays as it is.
    """
    kept = read_credentials(settings.data_dir)
    found = await _token(store, kept)
    if found is not None:
        address = base_url or (kept.base_url if kept else None)
        credentials = LocalCredentials(address, *found)
        if credentials != kept:
            credentials.write(settings.data_dir)


async def _token(store: Store, kept: LocalCredentials | None) -> tuple[str, int] | None:
    """A token for this machine's clients and its organization: the first, the one that is kept, or a new one."""
    first = await store.people.first_start()
    if first is not None:
        return first[2], first[0].id
    identity = await store.people.identify(kept.token) if kept else None
    if kept and identity:
        return kept.token, identity.organization_id
    if not store.is_sqlite:
        return None
    users, _ = await store.people.users(FIRST_ORGANIZATION, Window(limit=1))
    created = await store.people.create_token(FIRST_ORGANIZATION, users[0].id, "local", Role.ADMIN)
    return created.token, FIRST_ORGANIZATION


def configured_url(settings: ServerSettings) -> str:
    """The address that the settings say."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def read_credentials(data_dir: Path) -> LocalCredentials | None:
    """The token that clients on this machine use; None when the file is missing or broken."""
    try:
        return LocalCredentials.read(data_dir)
    except SettingsError as error:
        _LOG.warning("%s It is written anew.", error)
        return None
