"""The dashboard in a process of its own, on port 3000: for the server that the environment, or a file `.env`, names.

Whoever may read this process's terminal signs in by the link that is printed there; sessions end with the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI

from contexten.client import AsyncCodegenClient
from contexten.client.address import resolve_address
from contexten.dashboard.hosting import plain
from contexten.dashboard.hosting.door import Door
from contexten.dashboard.hosting.installed import is_installed
from contexten.dashboard.hosting.pages import Pages
from contexten.errors import ConnectError, SettingsError, UsageError
from contexten.server import problems
from contexten.server.context import RequestContext
from contexten.server.guard import Guard
from contexten.server.ports import bind, url_of
from contexten.server.serve import DRAIN_SECONDS, upgraded
from contexten.server.store.sign_ins import LINK

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from contexten.client.address import Address
    from contexten.settings import ServerSettings

PORT = 3000


def serve(settings: ServerSettings, on_ready: Callable[[str], None]) -> None:
    """Serve the dashboard until SIGINT or SIGTERM.

    Args:
        settings: where to serve; nothing else of them matters.
        on_ready: told a link that signs in, when the dashboard answers.

    Raises:
        SettingsError: the port is taken, or the packages of the extra `dashboard` are missing.
    """
    if not is_installed():
        raise SettingsError("The dashboard needs: python3 -m pip install 'contexten[dashboard]'")
    listener = bind(settings)
    with listener:
        asyncio.run(_Server(settings, listener, on_ready).serve([listener]))


class _Server(uvicorn.Server):
    def __init__(self, settings: ServerSettings, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
        self._address, self._on_ready = url_of(listener), on_ready
        self._keeper = MemoryKeeper(listener.getsockname()[1])
        self._door = Door(self._keeper, Pages(settings.cache_dir))
        super().__init__(
            uvicorn.Config(
                application(self._door, settings),
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                ws=upgraded,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready(f"{self._address}/?code={self._keeper.code()}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - called by the system so
        """Stop; unlike the base, without raising the signal again. A second one does not wait."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._door.aclose()


def application(door: Door[Any], settings: ServerSettings) -> FastAPI:
    """The door alone, behind the same gates as the server's."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.router.default = door
    problems.install(app)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(RequestContext)
    return app


class MemoryKeeper:
    """Codes and sessions of this process."""

    secure = False
    advice = plain.command(
        "Open the link that the terminal shows in which the dashboard was started:", "python dashboard.py"
    )

    def __init__(self, port: int) -> None:
        self.cookie = f"contexten_{port}"
        self._codes: dict[str, float] = {}
        self._seats: dict[str, EnvironmentVisitor] = {}

    def code(self) -> str:
        """A code that begins one session."""
        code = secrets.token_urlsafe(32)
        self._codes[_digest(code)] = time.monotonic() + LINK.total_seconds()
        return code

    async def begin(self, code: str) -> str | None:
        """The secret of a new session for a code that was not used yet; None for any other."""
        if self._codes.pop(_digest(code), 0) < time.monotonic():
            return None
        secret = secrets.token_urlsafe(32)
        self._seats[_digest(secret)] = EnvironmentVisitor(_digest(secret))
        return secret

    async def visitor(self, secret: str) -> EnvironmentVisitor | None:
        """Who has a session; None when it has ended."""
        return self._seats.get(_digest(secret))

    async def end(self, visitor: EnvironmentVisitor) -> None:
        """End a session."""
        self._seats.pop(visitor.key, None)


@dataclass(frozen=True, slots=True)
class EnvironmentVisitor:
    """A browser that has signed in at this process."""

    key: str = field(repr=False)

    def seat(self) -> EnvironmentSeat:
        """A seat with the client that the settings name."""
        return EnvironmentSeat()


class EnvironmentSeat:
    """The client that the environment, or the file `.env`, names now: it may be written while pages are open."""

    standalone = True

    def __init__(self) -> None:
        self._known: tuple[Address, AsyncCodegenClient] | None = None

    async def client(self) -> AsyncCodegenClient | None:
        """The client; None where there is no token, or nothing to send it to."""
        try:
            address = resolve_address()
        except (UsageError, SettingsError, ConnectError):
            return None
        if self._known is None or self._known[0] != address:
            await self.aclose()
            self._known = address, AsyncCodegenClient(address.token, address.org_id, address.base_url)
        return self._known[1]

    async def aclose(self) -> None:
        """Close the client."""
        known, self._known = self._known, None
        if known is not None:
            await known[1].aclose()


def _digest(secret: str) -> str:
    """What is kept of a secret: looking it up takes as long whatever of it was guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()
