"""The pooled transport of a client: exactly one per process, or per event loop of a process.

After a fork the child gets a pool of its own and leaves the parent's connections alone. A pool whose event loop has
ended is let go. Addresses on this machine are never reached through a proxy.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
import weakref
from typing import Any

import httpx2

from contexten.client.deadline import limit
from contexten.client.loopback import LoopbackTransport
from contexten.errors import UsageError
from contexten.settings import is_loopback

_KEEP_SECONDS = 60.0
_AT_A_TIME = 64
_inherited: list[object] = []
"""Pools of a parent process: kept, because closing them would speak on the parent's connections."""


class Pool:
    """The connections of a synchronous client.

    Args:
        base_url: decides whether a proxy of the environment applies.
        ssl_context: what to trust, when it is not the usual authorities.
        connections: largest number at a time.
    """

    def __init__(self, base_url: str, ssl_context: ssl.SSLContext | None = None, connections: int = 1000) -> None:
        self._options = _options(base_url, ssl_context, connections)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._client: httpx2.Client | None = None
        self._closed = False

    def client(self) -> httpx2.Client:
        """The HTTP client of this process.

        Raises:
            UsageError: the pool is closed.
        """
        if self._pid != os.getpid():
            _inherited.append(self._client)
            self._client, self._lock, self._pid = None, threading.Lock(), os.getpid()
        with self._lock:
            if self._closed:
                raise UsageError("The client is closed. Make a new one.")
            if self._client is None:
                self._client = limit(httpx2.Client(**self._options))
                weakref.finalize(self, _close, self._client, self._pid)
            return self._client

    def close(self) -> None:
        """Close all connections. Closing twice is harmless."""
        with self._lock:
            client, self._client, self._closed = self._client, None, True
        if client is not None and self._pid == os.getpid():
            client.close()


class AsyncPool:
    """The connections of an asynchronous client; see `Pool`."""

    def __init__(self, base_url: str, ssl_context: ssl.SSLContext | None = None, connections: int = 1000) -> None:
        self._options = _options(base_url, ssl_context, connections)
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
            _inherited.append(self._clients)
            self._clients, self._pid = {}, os.getpid()
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            for ended in [other for other in list(self._clients) if other.is_closed()]:
                self._clients.pop(ended, None)
            transport = LoopbackTransport(_KEEP_SECONDS) if self._loopback else None
            client = self._clients[loop] = httpx2.AsyncClient(**self._options, transport=transport)
        return client

    async def aclose(self) -> None:
        """Close all connections. Closing twice is harmless."""
        self._closed = True
        clients, self._clients = self._clients, {}
        for loop, client in clients.items():
            if loop is asyncio.get_running_loop():
                await client.aclose()
            elif loop.is_running() and self._pid == os.getpid():
                asyncio.run_coroutine_threadsafe(client.aclose(), loop)


def _close(client: httpx2.Client, pid: int) -> None:
    """Close what a forgotten client left open, in the process that opened it."""
    if pid == os.getpid():
        client.close()


def _options(base_url: str, ssl_context: ssl.SSLContext | None, connections: int) -> dict[str, Any]:
    url = httpx2.URL(base_url)
    options: dict[str, Any] = {
        "base_url": base_url,
        "http2": url.scheme == "https",
        "trust_env": not is_loopback(url.host),
        "limits": httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEP_SECONDS
        ),
    }
    if ssl_context is not None:
        options["verify"] = ssl_context
    elif url.scheme == "http":
        # Nothing is ever sent over TLS here; a context that trusts nobody saves loading the authorities.
        options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return options
