"""The asynchronous client's transport on this machine, against a server that answers byte for byte as told."""

import asyncio
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest

from contexten.client.loopback import LoopbackTransport

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"
EARLY = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\nhi"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


class Told:
    """Answers each request with the next of some bytes; closes the connection after those that end with it."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.connections = 0
        self.open = []
        self.held = None

    async def serve(self, reader, writer):
        self.connections += 1
        self.open.append(writer)
        while await self.request(reader):
            if self.held:
                await self.held.wait()
            answer = self.answers.pop(0)
            writer.write(answer)
            if answer in {CLOSING, UNTIL_CLOSED, b""} or len(answer) < len(EMPTY):
                break
        writer.close()

    async def request(self, reader):
        head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
        if b"content-length" in head.lower():
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        return head


@asynccontextmanager
async def told(*answers, keep=60.0):
    state = Told(answers)

    async def serve(reader, writer):
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await state.serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    transport = LoopbackTransport(keep)
    async with server, httpx2.AsyncClient(transport=transport, base_url=f"http://{host}:{port}", timeout=60) as client:
        yield state, client
    for writer in state.open:
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("answer", [PLAIN, CHUNKED, EARLY])
def test_a_connection_is_used_again(answer):
    async def main():
        async with told(answer, answer, EMPTY) as (state, client):
            assert (await client.get("/a")).text == "hi"
            assert (await client.post("/b", json={"x": "☃" * 1000})).text == "hi"
            assert (await client.get("/c")).content == b""
            assert state.connections == 1

    asyncio.run(main())


@pytest.mark.parametrize("answer", [CLOSING, UNTIL_CLOSED])
def test_a_connection_that_the_server_ends_is_not_used_again(answer):
    async def main():
        async with told(answer, PLAIN) as (state, client):
            assert (await client.get("/a")).text == "hi"
            assert (await client.get("/b")).text == "hi"
            assert state.connections == 2

    asyncio.run(main())


def test_an_idle_connection_that_was_closed_is_noticed():
    async def main():
        async with told(PLAIN, PLAIN) as (state, client):
            await client.get("/a")
            state.open[0].close()
            await state.open[0].wait_closed()
            await asyncio.sleep(0.05)
            assert (await client.get("/b")).text == "hi"
            assert state.connections == 2

    asyncio.run(main())


def test_a_connection_is_let_go_when_its_time_is_over():
    async def main():
        async with told(PLAIN, PLAIN, keep=0.0) as (state, client):
            await client.get("/a")
            await client.get("/b")
            assert state.connections == 2

    asyncio.run(main())


def test_a_body_that_is_left_unread_costs_its_connection_only():
    async def main():
        async with told(CHUNKED, PLAIN) as (state, client):
            async with client.stream("GET", "/a") as response:
                assert response.status_code == 200
            assert (await client.get("/b")).text == "hi"
            assert state.connections == 2

    asyncio.run(main())


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"])
def test_no_whole_answer_is_an_error_of_the_protocol(answer):
    async def main():
        async with told(answer) as (_, client):
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get("/a")

    asyncio.run(main())


def test_nobody_there_and_nothing_said():
    async def main():
        async with httpx2.AsyncClient(transport=LoopbackTransport(1.0), timeout=60) as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get("http://127.0.0.1:9/")
        async with told(PLAIN) as (state, client):
            state.held = asyncio.Event()
            with pytest.raises(httpx2.ReadTimeout):
                await client.get("/a", timeout=httpx2.Timeout(60, read=0.1))
            state.held.set()

    asyncio.run(main())
