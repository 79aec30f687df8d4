"""The dashboard as a part of the server. Until somebody looks, it is this file and nothing else."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from contexten.dashboard.hosting.door import Door
    from contexten.dashboard.hosting.keeper import ServerVisitor
    from contexten.server.services import Services


@asynccontextmanager
async def dashboard(services: Services) -> AsyncIterator[Front]:
    """The dashboard of a server, while that runs."""
    front = Front(services)
    try:
        yield front
    finally:
        await front.aclose()


class Front:
    """An ASGI application that is made when it is asked for the first time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._door: Door[ServerVisitor] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or serve the connection of a page (ASGI)."""
        if self._door is None:
            self._door = self._made()
        await self._door(scope, receive, send)

    async def aclose(self) -> None:
        """Stop what was begun."""
        if self._door is not None:
            await self._door.aclose()

    def _made(self) -> Door[ServerVisitor]:
        from contexten.dashboard.hosting.door import Door
        from contexten.dashboard.hosting.keeper import ServerKeeper
        from contexten.dashboard.hosting.pages import Pages

        return Door(ServerKeeper(self._services), Pages(self._services.settings.cache_dir))
