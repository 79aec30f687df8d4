"""The connections of the synchronous client: every step on them is cut to what is left of the calling thread's time.

In a file of its own, because only whoever sends synchronously needs the HTTP library's own connections loaded.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpcore2

from contexten.client.deadline import end

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    import httpx2


def limit(client: httpx2.Client) -> httpx2.Client:
    """Make every connection of a client, direct or through a proxy, keep to the moment of the thread that uses it."""
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001 - it takes no network of ours
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            pool._network_backend = _Network(pool._network_backend)  # noqa: SLF001 - as above
    return client


class _Network(httpcore2.NetworkBackend):
    def __init__(self, network: httpcore2.NetworkBackend) -> None:
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        return _Stream(self._network.connect_tcp(host, port, _left(timeout), local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        with suppress(OSError, AttributeError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)  # wakes a thread that reads
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    ends = end()
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time allowed is over")
    return left if timeout is None else min(left, timeout)
