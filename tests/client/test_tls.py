"""TLS: whom the client trusts, and HTTP/2 where it is offered."""

import asyncio
import logging
import ssl
import time

import pytest
from tls_server import TlsServer, certificate

from contexten import AsyncCodegenClient, CodegenClient
from contexten.errors import ConnectError, RequestTimeoutError
from contexten.resilience import Policy
from hosted_server import ORG, TOKEN

USER = {"id": 1, "github_user_id": "1", "github_username": "dev"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def server(keys):
    with TlsServer(*keys, USER) as server:
        yield server


@pytest.fixture
def trusting(keys):
    return ssl.create_default_context(cafile=str(keys[1]))


def test_http2_is_spoken_where_it_is_offered_and_the_token_is_not_logged(server, trusting, caplog):
    caplog.set_level(logging.DEBUG)
    with CodegenClient(TOKEN, ORG, server.base_url, ssl_context=trusting) as client:
        assert [client.me().id for _ in range(3)] == [1, 1, 1]
        assert client.request("GET", "/v1/users/me").http_version == "HTTP/2"
    assert server.protocols == ["h2"]
    assert server.requests[0]["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in caplog.text


def test_the_twin_speaks_it_too(server, trusting):
    async def main():
        async with AsyncCodegenClient(TOKEN, ORG, server.base_url, ssl_context=trusting) as client:
            await asyncio.gather(*[client.me() for _ in range(10)])

    asyncio.run(main())
    assert server.protocols == ["h2"]
    assert len(server.requests) == 10


def test_a_wait_over_http2_ends_in_time_although_the_stream_shows_life(keys, trusting):
    run = {"id": 7, "organization_id": ORG, "status": "ACTIVE"}
    with (
        TlsServer(*keys, run, stream=b": still here\n\n") as server,
        CodegenClient(TOKEN, ORG, server.base_url, ssl_context=trusting) as client,
    ):
        task = client.task(7)
        started = time.monotonic()
        with pytest.raises(RequestTimeoutError, match=r"has not ended after 0\.5 s"):
            task.wait(timeout=0.5)
    assert time.monotonic() - started < 100
    assert server.protocols == ["h2"]


def test_a_certificate_nobody_vouches_for_is_not_trusted(server, clock):
    with (
        CodegenClient(TOKEN, ORG, server.base_url, policy=Policy(clock=clock)) as client,
        pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.me()
    assert server.requests == []


def test_nor_by_the_twin(server, clock):
    async def main():
        async with AsyncCodegenClient(TOKEN, ORG, server.base_url, policy=Policy(clock=clock)) as client:
            await client.me()

    with pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(main())
    assert server.requests == []


def test_another_name_is_not_trusted(server, trusting, clock):
    address = server.base_url.replace("localhost", "127.0.0.1")
    with (
        CodegenClient(TOKEN, ORG, address, policy=Policy(clock=clock), ssl_context=trusting) as client,
        pytest.raises(ConnectError, match="IP address mismatch"),
    ):
        client.me()


def test_tls_with_a_server_that_speaks_none(hosted, clock):
    address = hosted.base_url.replace("http:", "https:")
    with (
        CodegenClient(TOKEN, ORG, address, policy=Policy(clock=clock)) as client,
        pytest.raises(ConnectError, match="SSL"),
    ):
        client.me()
