"""A server with a small shop on it, and the protocol's own client at its door."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from editing_engine import Editing
from running_server import running
from shop_project import SHOP, make_project


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server whose runs are about a shop, in a folder of its own, with an engine that changes files."""
    folder = tmp_path_factory.mktemp("mcp")
    shop = make_project(folder / "shop", SHOP)
    with running(folder, more_engines=[Editing(folder / "data")], CONTEXTEN_REPO=shop) as place:
        yield place


@asynccontextmanager
async def agent(caller, mode="auto", **headers):
    """An agent with a caller's token that has added the server's tools."""
    sent = {"Authorization": f"Bearer {caller.token}", **headers}
    async with (
        httpx2.AsyncClient(headers=sent, timeout=60) as http,
        Client(streamable_http_client(f"{caller.base_url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture
def connect():
    return agent
