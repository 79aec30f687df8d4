"""What a caller of the tools may reach: one server as one client sees it, and the folders whose code may be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contexten.client import AsyncCodegenClient
    from contexten.protocol import Repository

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Access:
    """What one call of a tool may reach. There is no other way out of the tools."""

    client: AsyncCodegenClient
    home: Callable[[], Awaitable[int | None]]
    """The repository of runs that name none; None leaves it to the server."""
    folder: Path | None = None
    """The folder that questions about code are about when they name no repository."""
    local: bool = False
    """Whether the server's repositories are folders of this machine, so that their code can be read."""
    passing: bool = False
    """Whether the server ends soon, so that its addresses are of no use to people."""
    cache: Path | None = None
    """Where code indexes are kept; the user's cache folder when None."""

    async def repo_id(self, name: str | None, repo_id: int | None = None) -> int | None:
        """The repository that a run works on.

        Raises:
            UsageError: there is none of this name; the message lists those there are.
        """
        if repo_id is not None:
            return repo_id
        return await self.home() if name is None else (await self._named(name)).id

    async def code_folder(self, name: str | None) -> Path:
        """The folder of a repository: one that the server has registered, or the one that this was started for.

        Raises:
            UsageError: there is no such repository, or its code is not on this machine.
        """
        if name is None and self.folder is not None:
            return self.folder
        if not self.local:
            here = "Leave `repository` out for the folder that this was started in." if self.folder else ""
            raise UsageError(f"The code of the server's repositories is not on this machine. {here}".rstrip())
        repo = await self._named(name if name is not None else await self._home())
        return Path(str(repo.get("path")))

    async def _home(self) -> int:
        found = await self.home()
        if found is None:
            raise UsageError("Name a repository; list_repositories lists them.")
        return found

    async def _named(self, wanted: str | int) -> Repository:
        repos = [repo async for repo in self.client.iter_repositories()]
        for repo in repos:
            if str(wanted) in {str(repo.id), repo.name, repo.full_name, repo.get("path"), repo.get("url")}:
                return repo
        names = ", ".join(f"{repo.name} ({repo.id})" for repo in repos[:_NAMED]) or "none"
        raise UsageError(
            f"There is no repository {wanted!r}. Repositories here: {names}. Add one: contexten repos add PATH"
        )
