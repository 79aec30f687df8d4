"""What a program that stays open stands on: the server that is up, or one inside this process for as long as it is needed.

A server of our own holds the data folder, and nobody else can start one meanwhile: so it is ended soon after the last
call, when no run is under way on it.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contexten.cli.connect import Connection, connected
from contexten.cli.place import place_named
from contexten.client import AsyncCodegenClient
from contexten.client.holder import Holder
from contexten.engines.workspace import close
from contexten.errors import ApiError, UsageError
from contexten.mcp import Access
from contexten.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LINGER = 5.0
"""Seconds that a server of our own is kept after the last call, and between two looks at whether a run goes on there."""
_NO_PROJECT = (
    "There is no project here. Name a repository that list_repositories lists, or start this in a project: "
    "contexten mcp --repo PATH"
)


@dataclass(slots=True)
class _Open:
    stack: ExitStack
    connection: Connection
    client: AsyncCodegenClient
    data_dir: Path
    repo_id: int | None = None

    @property
    def is_there(self) -> bool:
        """Whether the server that was found is the one to talk to still."""
        if not self.connection.local or self.connection.embedded:
            return True
        holder = Holder.current(self.data_dir)
        return holder is not None and holder.base_url == self.client.base_url


class Ground:
    """Opens what the calls of one program reach.

    Args:
        folder: the project that they are about; None when the program was started in none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._open: _Open | None = None
        self._calls = 0
        self._lock = asyncio.Lock()
        self._lingering: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def access(self, _: Any = None) -> AsyncIterator[Access]:
        """What a call may reach; the server is there for as long as the call takes."""
        self._calls += 1
        try:
            async with self._lock:
                if self._lingering is not None:
                    self._lingering.cancel()
                    self._lingering = None
                found = await self._found()
            local, passing = found.connection.local, found.connection.embedded
            yield Access(found.client, self._home, self._folder, local=local, passing=passing)
        finally:
            self._calls -= 1
            if self._open is not None and self._open.connection.embedded and not self._calls:
                self._lingering = asyncio.create_task(self._linger())

    async def close(self) -> None:
        """Close what is open. Runs that go on in a server of our own continue at the next start of one."""
        found, self._open = self._open, None
        if found is not None:
            await found.client.aclose()
            await asyncio.to_thread(found.stack.close)

    async def _found(self) -> _Open:
        if self._open is not None and not self._open.is_there:
            await self.close()
        if self._open is None:
            self._open = await self._opened()
        return self._open

    async def _opened(self) -> _Open:
        data_dir = ClientSettings().data_dir
        close(data_dir)  # also when the server is another process: no question about code reads it
        with ExitStack() as stack:
            connection = await asyncio.to_thread(stack.enter_context, connected())
            client = AsyncCodegenClient(connection.client.token, base_url=connection.client.base_url)
            return _Open(stack.pop_all(), connection, client, data_dir)

    async def _home(self) -> int | None:
        """The repository of the project, registered if it was not yet."""
        found = self._open
        if found is None or not found.connection.local:
            return None
        if self._folder is None:
            raise UsageError(_NO_PROJECT)
        if found.repo_id is None:
            repo = await asyncio.to_thread(place_named, found.connection, str(self._folder))
            found.repo_id = repo.id if repo else None
        return found.repo_id

    async def _linger(self) -> None:
        busy = True
        while busy:
            await asyncio.sleep(LINGER)
            busy = await self._is_busy()
        async with self._lock:
            if not self._calls:
                await asyncio.shield(self.close())

    async def _is_busy(self) -> bool:
        with suppress(ApiError):
            return self._open is not None and bool((await self._open.client.health()).get("runs_active"))
        return False


def project_around(here: Path) -> Path | None:
    """The git project around a folder, else the folder itself; None for one that holds people's homes, or is one."""
    home = Path.home().resolve()
    for folder in (here, *here.parents):
        if folder != home and (folder / ".git").exists():
            return folder
    return None if home.is_relative_to(here) else here
