"""The store: one object that opens the database and has a door for each noun."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from contexten.server.store.checks import Checks
from contexten.server.store.connections import database_url
from contexten.server.store.database import Database
from contexten.server.store.diffs import Diffs
from contexten.server.store.events import Events
from contexten.server.store.people import People
from contexten.server.store.repos import Repos
from contexten.server.store.runs import Runs
from contexten.server.store.search import Search
from contexten.server.store.sessions import Sessions
from contexten.server.store.sign_ins import SignIns
from contexten.server.store.workers import Workers
from contexten.server.store.workflows import Workflows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL

    from contexten.settings import ServerSettings


class Store:
    """Everything the server keeps. Its methods are asynchronous and may be awaited on any event loop.

    Raises:
        StoreUnavailableError: from every method, when the disk is full or the database locked or out of reach.
    """

    def __init__(self, url: URL, folder: Path) -> None:
        self._database = Database(url)
        self._folder = folder
        self.url = url.render_as_string(hide_password=False)
        """SQLAlchemy address of the database, with its password."""
        self.is_sqlite = self._database.is_sqlite
        self.database_path = Path(url.database or "") if self.is_sqlite else None
        """File of the database; None for PostgreSQL."""
        self.runs = Runs(self._database)
        self.events = Events(self._database)
        self.diffs = Diffs(self._database)
        self.people = People(self._database)
        self.repos = Repos(self._database)
        self.search = Search(self._database)
        self.checks = Checks(self._database)
        self.sessions = Sessions(self._database)
        self.sign_ins = SignIns(self._database)
        self.workers = Workers(self._database)
        self.workflows = Workflows(self._database)

    @classmethod
    def open(cls, settings: ServerSettings) -> Store:
        """Make the data folder when it is missing, bring the tables up to date, and connect.

        Raises:
            SettingsError: the address of the database cannot be used.
            StoreUnavailableError: the folder cannot be written or the database cannot be reached.
            StoreError: a newer version of Contexten wrote the database.
        """
        return cls(database_url(settings), settings.data_dir)

    def close(self) -> None:
        """Write what waits and let go of the database. Blocks; a closed store raises StoreUnavailableError."""
        self._database.close()

    async def answer(self) -> None:
        """Read as little as can be read, to see that the database answers."""
        await self._database.read(lambda connection: connection.scalar(select(1)))

    def on_commit(self, callback: Callable[[int], None]) -> None:
        """Call `callback` with the newest event id whenever events were committed, by other processes too.

        It is called on a thread of the store and must return at once.
        """
        self._database.on_commit(callback)

    def path_beside(self, name: str) -> Path:
        """A path in the folder of the database file; with PostgreSQL, in the data folder."""
        return (self._folder if self.database_path is None else self.database_path.parent) / name
