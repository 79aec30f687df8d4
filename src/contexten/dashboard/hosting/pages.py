"""The dashboard for whoever is signed in: its files, its events, and what is said while it is not there yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contexten.dashboard.hosting import plain
from contexten.dashboard.hosting.building import Building
from contexten.dashboard.hosting.bundle import Bundle
from contexten.dashboard.hosting.files import Files
from contexten.dashboard.hosting.live import Live
from contexten.dashboard.hosting.seats import Seats
from contexten.dashboard.session import HEADER

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from contexten.dashboard.hosting.seats import Visitor

_PRIVATE = {b"cookie", b"authorization"}


class Pages:
    """The built pages and the app behind them. Nothing of it is loaded before somebody looks.

    Args:
        cache: folder for what makes the next build fast.
        bundle: the built pages.
    """

    def __init__(self, cache: Path | None = None, bundle: Bundle | None = None) -> None:
        self._bundle = bundle or Bundle()
        self._building = Building(self._bundle, cache)
        self._files: Files | None = None
        self._live: Live | None = None
        self.seats = Seats()

    def asset(self, request: Request) -> Response | None:
        """A script or style of the pages that are open, which tells nobody anything; None for everything else."""
        return self._files.asset(request) if self._files else None

    async def answer(self, request: Request) -> Response | None:
        """The file or page at an address, or what is to be said instead; None when there is nothing."""
        files = await self._opened()
        if files is None:
            return self._building.answer(request)
        if self._live is None:
            self._live = Live(self._bundle)
        if self._live.failed:
            return plain.failed(request)
        return files.answer(request)

    async def missing(self, request: Request) -> Response:
        """What is shown where no page is."""
        files = await self._opened()
        return files.missing(request) if files else self._building.answer(request)

    async def socket(self, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the connection of a page; its visitor's cookie goes no further."""
        if self._live is None:
            if await self._opened() is None:
                await refuse(send)
                return
            self._live = Live(self._bundle)
        kept = [(name, value) for name, value in scope["headers"] if name not in _PRIVATE]
        mark = (HEADER.encode(), self.seats.mark(visitor).encode())
        await self._live.socket({**scope, "headers": [*kept, mark]}, receive, send)

    async def aclose(self) -> None:
        """Stop everything that was begun."""
        await self._building.aclose()
        await self.seats.aclose()
        if self._live is not None:
            await self._live.aclose()
            self._live = None

    async def _opened(self) -> Files | None:
        """The files, once they are built; they stay those of the app that was loaded with them."""
        if self._files is None and await self._building.done():
            self._files = await asyncio.to_thread(Files, self._bundle)
        return self._files


async def refuse(send: Send) -> None:
    """Close a connection before it is open: the browser sees 403."""
    await send({"type": "websocket.close", "code": 1008})
