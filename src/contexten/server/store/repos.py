"""Repositories: the folders that runs work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from contexten.protocol import LocalRepository
from contexten.server.store.columns import now
from contexten.server.store.errors import NotThereError
from contexten.server.store.tables import repos
from contexten.server.store.text_gate import clean_text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from contexten.protocol import Window
    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction


class Repos:
    """All repositories of the server. A removed one keeps its row, for the runs that worked on it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(  # noqa: PLR0913 - what is known about a repository
        self,
        organization_id: int,
        *,
        path: str,
        name: str,
        url: str | None = None,
        description: str | None = None,
        language: str | None = None,
    ) -> LocalRepository:
        """Register a folder; a path that is registered already gives back its repository as it is."""
        path = clean_text(path)
        facts = {"name": name, "url": url, "description": description, "language": language, "removed_at": None}

        def work(transaction: Transaction) -> LocalRepository:
            same = (repos.c.organization_id == organization_id) & (repos.c.path == path)
            row = transaction.connection.execute(select(repos).where(same)).one_or_none()
            if row is not None and row.removed_at is None:
                return _repository(row)
            again = update(repos).where(same).values(facts)
            first = insert(repos).values(organization_id=organization_id, path=path, created_at=now(), **facts)
            change = first if row is None else again
            return _repository(transaction.connection.execute(change.returning(*repos.c)).one())

        return await self._database.write(work)

    async def list(self, organization_id: int, window: Window) -> tuple[list[LocalRepository], int]:
        """Repositories of an organization, oldest first, and how many there are in all."""
        whose = (repos.c.organization_id == organization_id) & repos.c.removed_at.is_(None)

        def work(connection: Connection) -> tuple[list[LocalRepository], int]:
            total = connection.scalar(select(func.count()).where(whose)) or 0
            if window.skip >= total:
                return [], total
            page = select(repos).where(whose).order_by(repos.c.id).limit(window.limit).offset(window.skip)
            return [_repository(row) for row in connection.execute(page)], total

        return await self._database.read(work)

    async def get(self, organization_id: int, repo_id: int) -> LocalRepository:
        """The repository.

        Raises:
            NotThereError: the organization has no such repository.
        """
        return await self._database.read(lambda connection: find_repo(connection, organization_id, repo_id))

    async def first(self, organization_id: int) -> LocalRepository | None:
        """The repository that was registered first; None when there is none."""
        whose = (repos.c.organization_id == organization_id) & repos.c.removed_at.is_(None)
        wanted = select(repos).where(whose).order_by(repos.c.id).limit(1)
        row = await self._database.read(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else _repository(row)

    async def find(
        self, organization_id: int, *, path: str | None = None, url: str | None = None
    ) -> LocalRepository | None:
        """The repository that was registered with this path, or cloned from this address; None when there is none."""
        same = repos.c.path == clean_text(path) if path is not None else repos.c.url == clean_text(url or "")
        whose = (repos.c.organization_id == organization_id) & repos.c.removed_at.is_(None)
        wanted = select(repos).where(whose, same).order_by(repos.c.id).limit(1)
        row = await self._database.read(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else _repository(row)

    async def remove(self, organization_id: int, repo_id: int) -> None:
        """Forget a repository; its folder stays.

        Raises:
            NotThereError: the organization has no such repository.
        """

        def work(transaction: Transaction) -> None:
            find_repo(transaction.connection, organization_id, repo_id)
            gone = update(repos).where(repos.c.id == repo_id).values(removed_at=now())
            transaction.connection.execute(gone)

        await self._database.write(work)


def find_repo(connection: Connection, organization_id: int, repo_id: int) -> LocalRepository:
    """The repository.

    Raises:
        NotThereError: the organization has no such repository.
    """
    whose = (repos.c.organization_id == organization_id) & repos.c.removed_at.is_(None)
    row = connection.execute(select(repos).where(whose, repos.c.id == repo_id)).one_or_none()
    if row is None:
        raise NotThereError(f"There is no repository {repo_id} in organization {organization_id}.")
    return _repository(row)


def _repository(row: Row[*tuple[Any, ...]]) -> LocalRepository:
    return LocalRepository(
        id=row.id,
        name=row.name,
        full_name=row.name,
        description=row.description,
        github_id=f"local-{row.id}",
        organization_id=row.organization_id,
        visibility="private",
        archived=False,
        setup_status="completed",
        language=row.language,
        path=row.path,
        url=row.url,
    )
