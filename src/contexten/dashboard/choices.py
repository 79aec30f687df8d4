"""What the server offers to run with: engines and repositories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten._plain import one_line
from contexten.dashboard.page import Page
from contexten.dashboard.visit import listeners
from contexten.errors import NotFoundError

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.dashboard.live import News
    from contexten.protocol import EngineInfo, Repository


@dataclass(frozen=True)
class Engine:
    """An engine, and what it needs."""

    name: str
    ready: bool
    detail: str
    default: bool
    label: str


@dataclass(frozen=True)
class Place:
    """A repository."""

    id: int
    name: str
    path: str
    address: str
    """Where it was cloned from."""
    state: str


class Choices(Page, rx.State):
    """The engines and repositories of the server."""

    engines: rx.Field[list[Engine]] = rx.field(default_factory=list)
    repositories: rx.Field[list[Place]] = rx.field(default_factory=list)
    more_repositories: rx.Field[bool] = rx.field(default=False)
    version: rx.Field[str] = rx.field("")
    adding: rx.Field[bool] = rx.field(default=False)
    asking: rx.Field[int] = rx.field(0)
    """The repository of which it is asked whether to take it off the list; 0 for none."""
    told: rx.Field[str] = rx.field("")

    @rx.event
    async def load(self) -> None:
        """Show what there is now."""
        self.asking, self.told, self.loaded = 0, "", False
        await self._load()

    @rx.event
    async def add(self, form: dict[str, Any]) -> Any:
        """Register a repository: a folder of the server's machine, or an address to clone."""
        location = str(form.get("location", "")).strip()
        if not location:
            self.problem = "Which one? Give a folder of the server's machine, or an address to clone from."
            return
        self.adding = True
        yield
        added = await self._ask(lambda client: client.add_repository(location))
        self.adding = False
        if added is not None:
            self.told = f"{added.name} is there."
            await self._renew()
            yield rx.set_value("location", "")

    @rx.event
    def ask_to_remove(self, repo_id: int) -> None:
        """Ask whether a repository is to be taken off the list; 0 takes the question back."""
        self.asking = repo_id

    @rx.event
    async def remove(self, repo_id: int) -> None:
        """Take a repository off the list. Its folder stays as it is."""
        self.asking = 0

        async def removed(client: AsyncCodegenClient) -> bool:
            await client.remove_repository(repo_id)
            return True

        if await self._ask(removed):
            self.told = "It is off the list."
            await self._renew()

    @property
    def _names(self) -> dict[int, str]:
        return {place.id: place.name for place in self.repositories}

    async def _load(self) -> None:
        """Ask for them, unless they are known."""
        if not self.loaded:
            await self._renew()

    async def _renew(self) -> None:
        if (found := await self._ask(_offered)) is None:
            return
        engines, repositories, total = found
        self.engines = [_engine(engine) for engine in engines]
        self.repositories = [_place(repository) for repository in repositories]
        self.more_repositories = total > len(repositories)
        self.loaded = True

    async def _hear(self, news: News) -> None:
        if news.missed:
            await self._renew()


async def _offered(client: AsyncCodegenClient) -> tuple[list[EngineInfo], list[Repository], int]:
    try:
        engines = await client.list_engines()
    except NotFoundError:  # a hosted Codegen does not say
        engines = []
    page = await client.list_repositories(limit=100)
    return engines, page.items, page.total


def _engine(engine: EngineInfo) -> Engine:
    detail = one_line(engine.detail, 400)
    label = engine.name if engine.ready else f"{engine.name} (not ready)"
    return Engine(engine.name, engine.ready, detail, engine.default, f"{label} · default" if engine.default else label)


def _place(repository: Repository) -> Place:
    return Place(
        id=repository.id,
        name=one_line(repository.name, 100),
        path=one_line(repository.get("path", ""), 400),
        address=one_line(repository.get("url", ""), 400),
        state=one_line(repository.setup_status, 60).lower(),
    )


listeners["/setup"] = Choices
