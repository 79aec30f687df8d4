"""The repository of runs that name none: the folder in which the server was started, or the one in the settings."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines.workspace import closed_in
from contexten.errors import EngineError, SettingsError
from contexten.server.store.errors import NotThereError

if TYPE_CHECKING:
    from contexten.protocol import LocalRepository
    from contexten.server.store import Store
    from contexten.settings import ServerSettings

FIRST_ORGANIZATION = 1

_LOG = logging.getLogger("contexten.server")


class Home:
    """Where runs work when they name no repository; registered in the first organization when it is first needed.

    Raises:
        SettingsError: the folder is not there, or is the server's own.
    """

    def __init__(self, settings: ServerSettings, store: Store) -> None:
        self._folder = _folder(settings)
        self._store = store
        self._id: int | None = None

    async def repository_of(self, organization_id: int) -> LocalRepository | None:
        """The repository of runs of an organization that name none; None when the organization has none.

        Other organizations, and the first one after it removed the folder, use what they registered first.
        """
        if organization_id == FIRST_ORGANIZATION:
            if self._id is None:
                return await self.register()
            try:
                return await self._store.repos.get(organization_id, self._id)
            except NotThereError:
                pass
        return await self._store.repos.first(organization_id)

    async def register(self) -> LocalRepository:
        """Register the folder, if it is not yet."""
        path = str(self._folder)
        repository = await self._store.repos.find(FIRST_ORGANIZATION, path=path)
        if repository is None:
            from contexten.engines.facts import describe

            facts = await asyncio.to_thread(describe, self._folder)
            repository = await self._store.repos.add(
                FIRST_ORGANIZATION, path=path, name=facts.name, language=facts.language
            )
        self._id = repository.id
        return repository


def _folder(settings: ServerSettings) -> Path:
    try:
        path = settings.repo or Path.cwd()
    except FileNotFoundError as error:
        raise SettingsError("The current folder is gone. Change to another one, or set CONTEXTEN_REPO.") from error
    if not path.is_dir():
        raise SettingsError(f"The repository {path} (CONTEXTEN_REPO) is not a folder.")
    try:
        closed = closed_in(path)
    except EngineError as error:
        raise SettingsError(f"{error} Change to a project's folder, or set CONTEXTEN_REPO.") from error
    if closed:
        _LOG.warning(
            "The repository %s holds this server's data folder. Runs leave that out, and hidden files, but everybody who "
            "may create a run can read the rest. Name a project's folder instead: CONTEXTEN_REPO, or up --repo.",
            path,
        )
    return path
