"""The pooled transport of an asynchronous client: exactly one per event loop of a process; the twin of `pool`.

A pool whose event loop has ended is let go.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from typing import TYPE_CHECKING

import httpx2

from contexten.client.loopback import LoopbackTransport
from contexten.client.pool import KEEP_SECONDS, inherited, options
from contexten.errors import UsageError
from contexten.settings import is_loopback

if TYPE_CHECKING:
    import ssl

_AT_A_TIME = 64


class AsyncPool:
    """The connections of an asynchronous client; see `Pool`."""

    def __init__(self, base_url: str, ssl_context: ssl.SSLContext | None = None, connections: int = 1000) -> None:
        self._options = options(base_url, ssl_context, connections)
        self._loopback = base_url.startswith("http://") and is_loopback(httpx2.URL(base_url).host)
        self._pid = os.getpid()
        self._clients: dict[asyncio.AbstractEventLoop, httpx2.AsyncClient] = {}
        self._slots: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            weakref.WeakKeyDictionary()
        )
        self._closed = False

    async def transmit(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and read its answer; so many at a time that a crowd of tasks does not flood the server."""
        loop = asyncio.get_running_loop()
        if loop not in self._slots:
            self._slots[loop] = asyncio.Semaphore(_AT_A_TIME)
        async with self._slots[loop]:
            return await self.client().send(request)

    def client(self) -> httpx2.AsyncClient:
        """The HTTP client of the running event loop.

        Raises:
            UsageError: the pool is closed.
        """
        if self._closed:
            raise UsageError("The client is closed. Make a new one.")
        if self._pid != os.getpid():
            inherited.append(self._clients)
            self._clients, self._pid = {}, os.getpid()
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            for ended in [other for other in list(self._clients) if other.is_closed()]:
                self._clients.pop(ended, None)
            transport = LoopbackTransport(KEEP_SECONDS) if self._loopback else None
            client = self._clients[loop] = httpx2.AsyncClient(**self._options, transport=transport)
        return client

    def move(self, base_url: str) -> None:
        """Connect to another address from now on. Connections to the one before are closed by its end."""
        self._options["base_url"] = base_url
        for client in self._clients.values():
            client.base_url = base_url

    async def aclose(self) -> None:
        """Close all connections. Closing twice is harmless."""
        self._closed = True
        clients, self._clients = self._clients, {}
        for loop, client in clients.items():
            if loop is asyncio.get_running_loop():
                await client.aclose()
            elif loop.is_running() and self._pid == os.getpid():
                asyncio.run_coroutine_threadsafe(client.aclose(), loop)
