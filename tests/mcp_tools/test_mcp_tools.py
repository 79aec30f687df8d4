"""Tools for other agents, asked for by the protocol's own client over HTTP, on a real server."""

import json
import sys
import time

import anyio
import pytest

from contexten.mcp.answers import LONGEST
from contexten.server.routes import mcp as route

pytestmark = pytest.mark.anyio
OFFICIAL = {"create_agent_run", "get_agent_run", "get_organizations", "get_users", "get_user"}
LONG = 3_600


async def answer(client, tool, **arguments):
    """The JSON that a tool answers."""
    told = await client.call_tool(tool, arguments)
    assert not told.is_error, told.content[0].text
    return json.loads(told.content[0].text)


async def text(client, tool, **arguments):
    told = await client.call_tool(tool, arguments)
    assert not told.is_error, told.content[0].text
    return told.content[0].text


async def refusal(client, tool, **arguments):
    told = await client.call_tool(tool, arguments)
    assert told.is_error, told.content[0].text
    return told.content[0].text


async def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await anyio.sleep(0.02)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_run_is_told_of_while_it_goes_on_and_answered(place, connect, mode):
    told = []

    async def progress(number, _total, message):
        told.append((number, message))

    async with connect(place.member, mode) as client:
        call = await client.call_tool("create_agent_run", {"prompt": "hi"}, progress_callback=progress)
    run = json.loads(call.content[0].text)
    assert (run["status"], run["result"], run["engine"]) == ("COMPLETE", "hi", "echo")
    numbers = [number for number, _ in told]
    assert numbers == sorted(set(numbers))
    assert [message for _, message in told][-2:] == ["look: looking", "final answer: hi"]


async def test_the_tools_of_the_official_server_are_there_and_take_what_they_took(place, connect):
    async with connect(place.admin) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() >= OFFICIAL
        assert all(tool.description and tool.input_schema["type"] == "object" for tool in tools.values())
        assert tools["get_agent_run"].annotations.read_only_hint
        assert not tools["cancel_agent_run"].annotations.read_only_hint
        org = place.admin.org
        made = await answer(
            client, "create_agent_run", org_id=org, prompt="hi", repo_name="shop", branch_name="main", wait_seconds=0
        )
        assert made["prompt"] == "hi"
        found = await answer(client, "get_agent_run", org_id=org, agent_run_id=made["id"], wait_seconds=60)
        assert found["result"] == "hi"
        assert (await answer(client, "get_organizations", page=1, limit=10))["organizations"][0]["id"] == org
        user = (await answer(client, "get_users", org_id=org))["users"][0]
        assert await answer(client, "get_user", org_id=org, user_id=user["id"]) == user
        manifest = await client.read_resource("system://manifest")
        assert json.loads(manifest.contents[0].text)["name"] == "contexten"


async def test_a_run_that_takes_longer_goes_on_and_can_be_stopped(place, connect):
    async with connect(place.member) as client:
        run = await answer(client, "create_agent_run", prompt="hold", engine="held", wait_seconds=0.1)
        assert f"get_agent_run {run['id']}" in run["next"]
        assert run["id"] in [each["id"] for each in (await answer(client, "list_agent_runs"))["agent_runs"]]
        stopped = await answer(client, "cancel_agent_run", agent_run_id=run["id"])
        assert stopped["status"] == "CANCELLED"
        said = await refusal(client, "resume_agent_run", agent_run_id=9_999, prompt="go on")
        assert said.startswith("There is no run 9999 in organization 1. The newest is")


async def test_nobody_follows_any_more_when_the_agent_has_gone(place, connect):
    asking = {"prompt": "hold", "engine": "held", "wait_seconds": LONG}
    async with connect(place.member) as client, anyio.create_task_group() as group:
        group.start_soon(client.call_tool, "create_agent_run", asking)
        await until(lambda: place.hub.watched)
        group.cancel_scope.cancel()
    await until(lambda: not place.hub.watched)
    run = place.admin.http.get(place.admin.url("/agent/runs")).json()["items"][0]
    assert run["status"] in {"PENDING", "RUNNING"}
    place.admin.http.post(f"/v1/beta{place.admin.url('/agent/run/stop')[3:]}", json={"agent_run_id": run["id"]})


async def test_changes_are_shown_file_by_file_when_they_are_many(place, connect):
    texts = {"new.py": "x = 1\n", "shop/cli.py": None}
    async with connect(place.member) as client:
        run = await answer(client, "create_agent_run", prompt=json.dumps({"new.py": "x = 1\n"}), engine="editing")
        patch = await text(client, "get_agent_run_diff", agent_run_id=run["id"])
        assert "files: 1\nadded    +1 -0  new.py" in patch
        assert "+x = 1" in patch
        more = place.admin.url("/agent/run")
        body = {"prompt": json.dumps(texts), "engine": "editing"}
        number = place.admin.http.post(more, json=body).json()["id"]
        place.admin.until(number)
        one = await text(client, "get_agent_run_diff", agent_run_id=number, path="shop/cli.py")
        assert "deleted" in one
        assert "new.py" not in one
        none = await text(client, "get_agent_run_diff", agent_run_id=number, path="other.py")
        assert none == f"Run {number} has not changed 'other.py'."


async def test_logs_are_read_page_by_page_and_searched(place, connect):
    async with connect(place.reader) as client:
        number = place.member.finished("a needle in the haystack")["id"]
        first = await answer(client, "get_agent_run_logs", agent_run_id=number, limit=2)
        assert [entry["message_type"] for entry in first["logs"]] == ["USER_MESSAGE", "ACTION"]
        rest = await answer(client, "get_agent_run_logs", agent_run_id=number, skip=first["next_skip"])
        assert [entry["message_type"] for entry in rest["logs"]] == ["FINAL_ANSWER"]
        assert rest["next_skip"] is None
        found = await answer(client, "search_agent_runs", text="needle")
        assert [run["id"] for run in found["agent_runs"]] == [number]


async def test_what_a_run_said_is_bounded_and_steers_no_terminal(place, connect):
    hostile = "\x1b]0;owned\x07\u202e" + "long " * 1_500
    async with connect(place.member) as client:
        number = (await answer(client, "create_agent_run", prompt=hostile))["id"]
        log = await text(client, "get_agent_run_logs", agent_run_id=number)
        listed = await text(client, "list_agent_runs", limit=100)
    for said in (log, listed):
        assert len(said) <= LONGEST
        assert not {"\x1b", "\x07", "\u202e"} & set(said)


async def test_a_token_may_do_through_tools_what_it_may_do_without(place, connect):
    number = place.member.finished("seen by its own")["id"]
    async with connect(place.reader) as reader:
        assert (await answer(reader, "get_agent_run", agent_run_id=number))["result"] == "seen by its own"
        assert (
            await refusal(reader, "create_agent_run", prompt="hi")
            == "This token has the role READ_ONLY; this needs MEMBER."
        )
    async with connect(place.other) as other:
        said = await refusal(other, "get_agent_run", agent_run_id=number)
        assert said.startswith(f"There is no run {number} in organization {place.other.org}.")
        there = await refusal(other, "get_agent_run", org_id=place.admin.org, agent_run_id=number)
        assert there == "There is no organization 1 that this token can see."


async def test_the_headers_of_the_official_command_line_name_the_place(place, connect):
    repos = place.admin.http.get(place.admin.url("/repos")).json()["items"]
    headers = {"x-organization-id": str(place.admin.org), "x-repo-id": str(repos[0]["id"])}
    async with connect(place.admin, **headers) as client:
        assert (await answer(client, "create_agent_run", prompt="hi"))["repo_id"] == repos[0]["id"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("no_such_tool", {}, "There is no tool 'no_such_tool'. Tools here: create_agent_run, "),
        ("create_agent_run", {}, "create_agent_run cannot be called like this. prompt: Field required"),
        ("get_agent_run", {"agent_run_id": "x"}, "agent_run_id: Input should be a valid integer"),
        ("create_agent_run", {"prompt": " "}, "prompt is empty"),
        (
            "create_agent_run",
            {"prompt": "x", "repo_name": "/etc"},
            "There is no repository '/etc'. Repositories here: shop",
        ),
        ("create_agent_run", {"prompt": "x", "engine": "none"}, "There is no engine 'none'."),
        ("code_symbol", {"name": "refund_ordr"}, "Did you mean refund_order"),
        ("code_symbol", {"name": " "}, "the name is empty"),
        ("code_overview", {"repository": "/etc"}, "There is no repository '/etc'"),
    ],
)
async def test_wrong_use_says_what_to_do(place, connect, tool, arguments, said):
    async with connect(place.admin) as client:
        assert said in await refusal(client, tool, **arguments)


async def test_questions_about_code(place, connect):
    async with connect(place.reader) as client:
        assert "shop/errors.py" in await text(client, "code_overview")
        assert "shop/payments/refunds.py" in await text(client, "code_symbol", name="refund_order", repository="shop")
        assert "call" in await text(client, "code_references", name="refund_order", kinds=["call"])
        assert "refund_order" in await text(client, "code_callers", name="refund_order", depth=2)
        assert "errors.py" in await text(client, "code_similar", name="PaymentError", limit=3)
        assert "refund_order" in await text(client, "code_context", task="add retry to refund_order")


async def test_the_door_is_that_of_the_api(place):
    http = place.nobody.http
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert http.post("/mcp", json=call).status_code == 401
    assert http.post("/mcp", json=call, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert place.admin.http.get("/mcp").status_code == 405
    assert place.admin.http.post("/mcp", json=call, headers={"Origin": "http://evil.example"}).status_code == 403
    assert place.admin.http.post("/mcp", json=call, headers={"Host": "evil.example"}).status_code == 400
    assert place.admin.http.post("/mcp", content=b" " * 2_000_000).status_code == 413


async def test_without_the_extra_it_says_what_to_install(place, monkeypatch):
    route._server.cache_clear()
    monkeypatch.setitem(sys.modules, "mcp.server.lowlevel", None)
    refused = place.admin.http.post("/mcp", json={})
    assert refused.status_code == 501
    assert "pip install 'contexten[mcp]'" in refused.json()["message"]
