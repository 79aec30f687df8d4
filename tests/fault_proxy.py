"""A proxy that does to requests what networks and servers do to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Pass:
    """Forward, and send back the whole answer, or only its first bytes."""

    cut: int | None = None
    reset: bool = True


@dataclass(frozen=True)
class Lose:
    """Forward, wait for the answer, throw it away and break the connection."""


@dataclass(frozen=True)
class Reset:
    """Break the connection; the server sees nothing."""


@dataclass(frozen=True)
class Answer:
    """Answer in the server's place."""

    status: int
    body: bytes = b'{"message": "injected", "status_code": 0}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Send these bytes and close."""

    data: bytes


@dataclass(frozen=True)
class Silence:
    """Say nothing until the proxy is closed."""


@dataclass(frozen=True)
class Stall:
    """Forward, send back the first bytes, then say nothing more."""

    after: int


@dataclass(frozen=True)
class Drip:
    """Send one byte of the body, or one line of the head, at a time for as long as the proxy lives."""

    pause: float = 0.02
    head: bool = False


Fault = Pass | Lose | Reset | Answer | Raw | Silence | Stall | Drip


class Proxy:
    """Forwards to `upstream` but does the faults first, one per request; `then` is done to all further requests."""

    def __init__(
        self, upstream: str | None = None, faults: list[Fault] | None = None, then: Fault | None = None
    ) -> None:
        self.upstream = upstream
        self.faults = list(faults or [])
        self.then = then or Pass()
        self.requests: list[bytes] = []
        self.answers = b""
        self.connections = 0
        self._news = threading.Condition()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def asked(self, needle: bytes = b"", times: int = 1) -> None:
        """Wait until so many requests with these bytes in their first line have come."""

        await self._until(lambda: sum(needle in request.split(b"\r\n")[0] for request in self.requests) >= times)

    async def passed(self, needle: bytes) -> None:
        """Wait until these bytes have been sent back."""
        await self._until(lambda: needle in self.answers)

    async def _until(self, condition) -> None:
        def wait() -> bool:
            with self._news:
                return self._news.wait_for(condition, 150)

        assert await asyncio.to_thread(wait)

    def break_all(self) -> None:
        """Break every connection that is open now."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_all()
        for thread in self._threads:
            thread.join(150)
            assert not thread.is_alive()

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while (request := read_request(connection)) is not None:
                with self._news:
                    self.requests.append(request)
                    self._news.notify_all()
                    fault = self.faults.pop(0) if self.faults else self.then
                if not self._do(fault, connection, request):
                    break
        self._open.discard(connection)

    def _do(self, fault: Fault, connection: socket.socket, request: bytes) -> bool:
        match fault:
            case Answer(status, body, headers):
                lines = [
                    f"HTTP/1.1 {status} Injected",
                    f"Content-Length: {len(body)}",
                    "Content-Type: application/json",
                ]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                return True
            case Lose():
                for _ in self._forward(request):
                    pass
                reset(connection)
            case Pass(cut, broken):
                self._pass(connection, request, cut)
                if cut is not None and broken:
                    reset(connection)
            case _:
                self._be_silly(fault, connection, request)
        return False

    def _be_silly(self, fault: Fault, connection: socket.socket, request: bytes) -> None:
        match fault:
            case Raw(data):
                connection.sendall(data)
            case Reset():
                reset(connection)
            case Silence():
                self._closing.wait(150)
            case Stall(after):
                self._pass(connection, request, after)
                self._closing.wait(150)
            case Drip(pause, head):
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
                connection.sendall(start if head else start + b"\r\n")
                while not self._closing.wait(pause):
                    connection.sendall(b"X-More: 1\r\n" if head else b" ")

    def _pass(self, connection: socket.socket, request: bytes, cut: int | None) -> None:
        for chunk in self._forward(request):
            connection.sendall(chunk if cut is None else chunk[:cut])
            with self._news:
                self.answers += chunk
                self._news.notify_all()
            if cut is not None:
                cut -= len(chunk)
                if cut <= 0:
                    return

    def _forward(self, request: bytes):
        parts = urlsplit(self.upstream)
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection((parts.hostname, parts.port), 150) as upstream:
            upstream.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            while not self._closing.is_set() and (chunk := upstream.recv(65536)):
                yield chunk


def read_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> None:
    """Close so that the other side gets a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class FakeClock:
    """Time that passes only by sleeping, and at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return time.time() + self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
