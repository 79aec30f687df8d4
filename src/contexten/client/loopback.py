"""HTTP/1.1 to a server on this machine, for the asynchronous client: an idle connection or a new one, and h11.

No proxy, no TLS and no other protocol can be between, so none of their layers is: a request costs a third.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any

import h11
import httpx2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_CHUNK = 65536
_HTTP_PORT = 80


class LoopbackTransport(httpx2.AsyncBaseTransport):
    """Connections to one server, kept while they are used now and then.

    Args:
        keep: seconds that a connection is kept without use.
    """

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._idle: list[_Wire] = []
        self._busy: set[_Wire] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the answer with its body still to be read."""
        limits = request.extensions.get("timeout", {})
        wire = self._take() or await _connect(request.url, limits.get("connect"))
        self._busy.add(wire)
        try:
            answer = await wire.ask(request, limits.get("read"))
        except BaseException:
            self._release(wire)
            raise
        body = _Body(wire, limits.get("read"), self._release)
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": answer.reason}
        return httpx2.Response(
            answer.status_code, headers=answer.headers.raw_items(), stream=body, extensions=extensions
        )

    async def aclose(self) -> None:
        """Close all connections."""
        for wire in [*self._idle, *self._busy]:
            wire.close()
        self._idle.clear()
        self._busy.clear()
        await asyncio.sleep(0)  # the event loop closes them in its next round

    def _take(self) -> _Wire | None:
        """The connection that was used last; those that the server has closed, or nobody needs, are let go."""
        while self._idle and self._idle[0].spent(self._keep):
            self._idle.pop(0).close()
        while self._idle:
            wire = self._idle.pop()
            if not wire.spent(self._keep):
                return wire
            wire.close()
        return None

    def _release(self, wire: _Wire) -> None:
        self._busy.discard(wire)
        if wire.renew():
            self._idle.append(wire)
        else:
            wire.close()


class _Wire:
    """One connection."""

    __slots__ = ("_reader", "_state", "_used_at", "_writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._state = h11.Connection(h11.CLIENT)
        self._used_at = monotonic()

    def spent(self, keep: float) -> bool:
        return self._reader.at_eof() or self._writer.is_closing() or monotonic() - self._used_at > keep

    def renew(self) -> bool:
        """Make ready for another request; False when the connection cannot serve one."""
        if self._state.our_state is not h11.DONE or self._state.their_state is not h11.DONE:
            return False
        self._state.start_next_cycle()
        self._used_at = monotonic()
        return True

    def close(self) -> None:
        self._writer.transport.abort()

    async def ask(self, request: httpx2.Request, seconds: float | None) -> h11.Response:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        content = await request.aread()
        parts = [head, h11.Data(data=content), h11.EndOfMessage()] if content else [head, h11.EndOfMessage()]
        try:
            self._writer.write(b"".join(self._state.send(part) or b"" for part in parts))
            await self._writer.drain()
        except OSError as error:
            raise httpx2.WriteError(str(error)) from error
        while True:
            event = await self.next(seconds)
            if isinstance(event, h11.Response):
                return event

    async def next(self, seconds: float | None) -> Any:
        """The next event of the answer, within so many seconds of silence."""
        try:
            while (event := self._state.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(seconds):
                    self._state.receive_data(await self._reader.read(_CHUNK))
        except h11.RemoteProtocolError as error:
            raise httpx2.RemoteProtocolError(str(error)) from error
        except TimeoutError as error:
            raise httpx2.ReadTimeout("the server said nothing for too long") from error
        except OSError as error:
            raise httpx2.ReadError(str(error)) from error
        if isinstance(event, h11.ConnectionClosed):
            raise httpx2.RemoteProtocolError("the server closed the connection without an answer")
        return event


class _Body(httpx2.AsyncByteStream):
    """An answer's body; closing it gives the connection back, or up when it was not read to its end."""

    __slots__ = ("_release", "_seconds", "_wire")

    def __init__(self, wire: _Wire, seconds: float | None, release: Callable[[_Wire], None]) -> None:
        self._wire: _Wire | None = wire
        self._seconds, self._release = seconds, release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._wire is not None:
            event = await self._wire.next(self._seconds)
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    async def aclose(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            self._release(wire)


async def _connect(url: httpx2.URL, seconds: float | None) -> _Wire:
    try:
        async with asyncio.timeout(seconds):
            return _Wire(*await asyncio.open_connection(url.host, url.port or _HTTP_PORT))
    except TimeoutError as error:
        raise httpx2.ConnectTimeout("the server did not take the connection in time") from error
    except OSError as error:
        raise httpx2.ConnectError(str(error)) from error
