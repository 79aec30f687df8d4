"""Calls that only a hosted Codegen can fully answer: what goes out, and that the answer comes in."""

import asyncio

import pytest
from answering import Answering

from contexten import AsyncCodegenClient, CodegenClient
from contexten.errors import UsageError
from hosted_server import served

CIRCLE = {}
CIRCLE["again"] = CIRCLE
ORG = "/v1/organizations/323"
EXPECTED = [
    ("GET", "/v1/mcp-providers", None),
    ("GET", "/v1/oauth/tokens/status?org_id=323", None),
    ("POST", "/v1/oauth/tokens/revoke?provider=linear&org_id=323", None),
    ("POST", "/v1/slack-connect/generate-token", {"org_id": 323}),
    ("POST", f"{ORG}/setup-commands/generate", {"repo_id": 5, "prompt": "how"}),
    ("POST", f"{ORG}/sandbox/9/analyze-logs", None),
    ("PATCH", f"{ORG}/prs/12", {"state": "closed"}),
    ("PATCH", f"{ORG}/repos/5/prs/12", {"state": "draft"}),
    ("POST", f"{ORG}/agent/run/ban", {"agent_run_id": 7}),
    ("POST", f"{ORG}/agent/run/unban", {"agent_run_id": 7}),
    ("POST", f"{ORG}/agent/run/remove-from-pr", {"agent_run_id": 7}),
]


@pytest.fixture
def server():
    state = Answering()
    with served(state.app) as base_url:
        state.base_url = base_url
        yield state


def test_each_call_asks_what_the_description_says(server):
    with CodegenClient("t", 323, server.base_url) as client:
        assert client.list_mcp_providers()[0].name == "linear"
        assert client.get_oauth_status() == [{"provider": "linear"}]
        client.revoke_oauth("linear")
        assert client.generate_slack_token().expires_in_minutes == 10
        assert client.generate_setup_commands(5, "how").agent_run_id == 7
        assert client.analyze_sandbox_logs(9)["message"] == "m"
        assert client.edit_pull_request(12, "closed").number == 12
        client.edit_pull_request(12, "draft", repo_id=5)
        client.ban_agent_run(7)
        client.unban_agent_run(7)
        client.remove_agent_run_from_pull_request(7)
    assert server.asked == EXPECTED


def test_so_does_the_twin(server):
    async def main():
        async with AsyncCodegenClient("t", 323, server.base_url) as client:
            assert (await client.list_mcp_providers())[0].name == "linear"
            assert await client.get_oauth_status() == [{"provider": "linear"}]
            await client.revoke_oauth("linear")
            assert (await client.generate_slack_token()).expires_in_minutes == 10
            assert (await client.generate_setup_commands(5, "how")).agent_run_id == 7
            assert (await client.analyze_sandbox_logs(9))["message"] == "m"
            assert (await client.edit_pull_request(12, "closed")).number == 12
            await client.edit_pull_request(12, "draft", repo_id=5)
            await client.ban_agent_run(7)
            await client.unban_agent_run(7)
            await client.remove_agent_run_from_pull_request(7)

    asyncio.run(main())
    assert server.asked == EXPECTED


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (lambda client: client.get_agent_run(0), "0"),
        (lambda client: client.get_agent_run("7a"), "'7a'"),
        (lambda client: client.get_agent_run(True), "True"),
        (lambda client: client.get_user(".."), "'..'"),
        (lambda client: client.edit_pull_request(1, "merged"), "merged"),
        (lambda client: client.create_token("x", "OWNER"), "OWNER"),
        (lambda client: client.create_organization(""), "name"),
        (lambda client: client.run("x", repo_id="first"), "first"),
        (lambda client: client.run("x", engin="model"), "'engin'.*Known: .*engine"),
        (lambda client: client.run("x", metadata={"a": object()}), "cannot be sent"),
        (lambda client: client.run("x", metadata=CIRCLE), "cannot be sent"),
        (lambda client: client.run("half of \ud83d"), "cannot be sent"),
        (lambda client: client.run("x", idempotency_key="a\nb"), "'Idempotency-Key'"),
        (lambda client: client.request("GET", "/", headers={"X-Name": "☃"}), "'X-Name'"),
        (lambda client: client.request("GET", "/", headers={"X: y\r\nZ": "1"}), "header"),
        (lambda client: client.request("GET IT", "/"), "'GET IT'"),
        (lambda client: client.request("GET", "/\n"), "cannot be sent"),
        (lambda client: client.request("POST", "/", json=object()), "cannot be sent"),
        (lambda client: client.get_agent_run(1, org_id="x"), "'x'"),
        (lambda client: client.update_check_suite_settings(1, {"check_retry_count": 99}), "99"),
    ],
)
def test_values_that_cannot_be_meant_are_named_and_not_sent(server, ask, names):
    with CodegenClient("t", 323, server.base_url) as client, pytest.raises(UsageError, match=names):
        ask(client)

    async def main():
        async with AsyncCodegenClient("t", 323, server.base_url) as client:
            with pytest.raises(UsageError, match=names):
                await ask(client)

    asyncio.run(main())
    assert server.asked == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"timeout": float("inf")}, "timeout is inf"),
        ({"timeout": "5"}, "timeout is '5'"),
        ({"deadline": 0}, "deadline is 0"),
        ({"deadline": float("nan")}, "deadline is nan"),
        ({"max_retries": -1}, "retries must be >= 0, got -1"),
        ({"max_retries": 1, "policy": object()}, "either policy or max_retries"),
    ],
)
def test_options_that_cannot_be_meant(options, message):
    with pytest.raises(UsageError, match=message):
        CodegenClient("t", 1, "http://127.0.0.1:9", **options)


def test_an_organization_must_be_named_when_there_are_several(hosted, policy):
    hosted.organizations_list = [1, 2]
    with (
        CodegenClient("hosted-token", base_url=hosted.base_url, policy=policy) as client,
        pytest.raises(UsageError, match=r"belongs to 2 organizations: 1 \(org 1\), 2 \(org 2\).*CODEGEN_ORG_ID"),
    ):
        client.run("x")
