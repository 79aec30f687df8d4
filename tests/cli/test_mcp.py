"""`contexten mcp`: another program starts it and speaks the protocol with it over standard input and output."""

import json
import signal
import subprocess
from contextlib import asynccontextmanager

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from contexten.client.holder import Holder

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@asynccontextmanager
async def editor(machine, *words, cwd=None):
    """A program that has added `contexten mcp`."""
    program = StdioServerParameters(
        command=str(machine.program), args=["mcp", *words], env=machine.environment, cwd=cwd or machine.project
    )
    async with Client(program) as client:
        yield client


async def answer(client, tool, **arguments):
    told = await client.call_tool(tool, arguments)
    assert not told.is_error, told.content[0].text
    return told.content[0].text


async def test_without_a_server_it_brings_one_for_as_long_as_it_is_needed(machine):
    async with editor(machine) as client:
        assert "shop/checkout.py:8" in await answer(client, "code_callers", name="refund_order")
        run = json.loads(await answer(client, "create_agent_run", prompt="Who calls refund_order?"))
        assert "shop/checkout.py:8" in run["result"]
        assert "web_url" not in run  # nobody could look at it
        assert Holder.current(machine.data).command == "contexten mcp"
        machine.until(lambda: Holder.current(machine.data) is None, "its server to end after the last call")
        assert json.loads(await answer(client, "list_agent_runs"))["total"] == 1  # and to come back for the next
    assert machine.json("runs", "list")["total"] == 1


async def test_a_server_that_is_up_is_used_and_one_that_went_away_is_replaced(machine):
    async with editor(machine) as client:
        with machine.up() as ready:
            run = json.loads(await answer(client, "create_agent_run", prompt="Where is cancel defined?"))
            assert run["web_url"].startswith(ready["base_url"])
            assert Holder.current(machine.data).base_url == ready["base_url"]
        assert json.loads(await answer(client, "get_agent_run", agent_run_id=1))["result"] == run["result"]


async def test_it_is_about_the_project_that_it_was_started_for(machine, tmp_path):
    async with editor(machine, "--repo", str(machine.project), cwd=tmp_path) as client:
        assert "refund_order" in await answer(client, "code_symbol", name="refund_order")
    async with editor(machine, cwd=machine.home) as client:  # a home folder is no project
        told = await client.call_tool("create_agent_run", {"prompt": "Where is cancel defined?"})
        assert told.is_error
        assert "contexten mcp --repo PATH" in told.content[0].text
        named = json.loads(
            await answer(client, "create_agent_run", prompt="Where is cancel defined?", repo_name="shop")
        )
        assert "shop/checkout.py:6" in named["result"]
        assert "shop" in await answer(client, "code_overview", repository="shop")


def test_a_signal_ends_it_in_order(machine):
    first = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
    }
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_agent_runs", "arguments": {}}}
    with machine.start("mcp", stdin=subprocess.PIPE) as process:
        for message in (first, {"jsonrpc": "2.0", "method": "notifications/initialized"}, call):
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert [each["id"] for each in answers] == [1, 2]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
        assert process.stdout.read() == ""
    assert Holder.current(machine.data) is None
