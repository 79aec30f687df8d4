"""The pooled transport of a synchronous client: exactly one per process. `apool` has the twin.

After a fork the child gets a pool of its own and leaves the parent's connections alone. Addresses on this machine are
never reached through a proxy.
"""

from __future__ import annotations

import os
import ssl
import threading
import weakref
from typing import Any

import httpx2

from contexten.errors import UsageError
from contexten.settings import is_loopback

KEEP_SECONDS = 60.0
inherited: list[object] = []
"""Pools of a parent process: kept, because closing them would speak on the parent's connections."""


class Pool:
    """The connections of a synchronous client.

    Args:
        base_url: decides whether a proxy of the environment applies.
        ssl_context: what to trust, when it is not the usual authorities.
        connections: largest number at a time.
    """

    def __init__(self, base_url: str, ssl_context: ssl.SSLContext | None = None, connections: int = 1000) -> None:
        self._options = options(base_url, ssl_context, connections)
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
            inherited.append(self._client)
            self._client, self._lock, self._pid = None, threading.Lock(), os.getpid()
        with self._lock:
            if self._closed:
                raise UsageError("The client is closed. Make a new one.")
            if self._client is None:
                from contexten.client.network import limit

                self._client = limit(httpx2.Client(**self._options))
                weakref.finalize(self, _close, self._client, self._pid)
            return self._client

    def move(self, base_url: str) -> None:
        """Connect to another address from now on."""
        with self._lock:
            self._options["base_url"] = base_url
            if self._client is not None:
                self._client.base_url = base_url

    def close(self) -> None:
        """Close all connections. Closing twice is harmless."""
        with self._lock:
            client, self._client, self._closed = self._client, None, True
        if client is not None and self._pid == os.getpid():
            client.close()


def options(base_url: str, ssl_context: ssl.SSLContext | None, connections: int) -> dict[str, Any]:
    """What a client of the HTTP library is made with.

    Args:
        base_url: decides on the protocol, and whether a proxy of the environment applies.
        ssl_context: what to trust, when it is not the usual authorities.
        connections: largest number at a time.
    """
    url = httpx2.URL(base_url)
    chosen: dict[str, Any] = {
        "base_url": base_url,
        "http2": url.scheme == "https",
        "trust_env": not is_loopback(url.host),
        "limits": httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_SECONDS
        ),
    }
    if ssl_context is not None:
        chosen["verify"] = ssl_context
    elif url.scheme == "http":
        # Nothing is ever sent over TLS here; a context that trusts nobody saves loading the authorities.
        chosen["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return chosen


def _close(client: httpx2.Client, pid: int) -> None:
    """Close what a forgotten client left open, in the process that opened it."""
    if pid == os.getpid():
        client.close()
