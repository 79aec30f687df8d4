"""The client against a server that has only the documented hosted API."""

import asyncio
import time

import pytest

from contexten import Agent, AgentTask, AsyncCodegenClient, CodegenClient
from contexten.errors import ApiError, AuthenticationError, NotFoundError, RequestTimeoutError, UsageError
from fault_proxy import Answer, Drip, Pass, Silence
from hosted_server import ORG, TOKEN


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_a_run_from_start_to_end(hosted, clients, suffix):
    client = clients(hosted.base_url + suffix)
    task = client.run("Who calls refund_order?", metadata={"from": "test"})
    assert isinstance(task, AgentTask)
    assert (task.org_id, task.status, task.result) == (ORG, "ACTIVE", None)
    assert [entry.thought for entry in task.stream()] == ["one", "two", "three"]
    assert (task.status, task.result) == ("COMPLETE", "answer to Who calls refund_order?")
    assert task.is_successful
    assert task.metadata == {"from": "test"}
    assert [entry["thought"] for entry in task.logs()] == ["one", "two", "three"]
    assert client.get_agent_run(task.id)["web_url"] == task.web_url == f"https://hosted.example/runs/{task.id}"


def test_polling_slows_down_while_nothing_happens(hosted, clients, clock):
    hosted.script = ["one", *[""] * 8, "two", "!FAILED"]
    task = clients(hosted.base_url).run("x")
    assert [entry.thought for entry in task.stream()] == ["one", "two"]
    assert clock.sleeps[:5] == [1.0, 1.5, 2.25, 3.375, 5.0]
    assert max(clock.sleeps) == 5.0
    assert task.status == "FAILED"
    assert not task.is_successful


def test_events_tell_statuses_too_and_resume_after_one(hosted, clients):
    task = clients(hosted.base_url).run("x")
    seen = [(event.event, event.get("status")) for event in task.events()]
    assert seen == [("log", None), ("status", "ACTIVE"), ("log", None), ("log", None), ("status", "COMPLETE")]
    assert [event.entry.thought for event in task.events(after=1) if event.event == "log"] == ["three"]


def test_wait_asks_for_the_status_alone(hosted, clients, clock):
    task = clients(hosted.base_url).run("x").wait()
    assert task.result == "answer to x"
    assert not [path for _, path, _ in hosted.requests if path.endswith("/logs")]
    assert clock.sleeps == [1.0, 1.5, 2.25, 3.375]


def test_wait_ends_with_its_time_and_the_run_goes_on(hosted, clients):
    hosted.script = [""] * 1000
    task = clients(hosted.base_url).run("x")
    with pytest.raises(RequestTimeoutError, match=rf"Run {task.id} has not ended after 10 s.*ACTIVE"):
        task.wait(timeout=10)
    with pytest.raises(TimeoutError):
        task.wait(timeout=3, poll=0.5)


def test_a_resumed_run_streams_what_is_new(hosted, clients):
    task = clients(hosted.base_url).run("x").wait()
    list(task.stream())
    assert task.resume("and now?").status == "ACTIVE"
    assert [entry.thought for entry in task.stream()] == ["again"]
    assert task.status == "completed"
    assert task.is_successful


def test_cancel_and_status_values_nobody_knows(hosted, clients):
    client = clients(hosted.base_url)
    assert client.run("x").cancel().status == "CANCELLED"
    hosted.script = ["!Pondering", "", "!Complete"]
    task = client.run("y")
    task.refresh()
    assert (task.status, task.is_terminal) == ("Pondering", False)
    assert task.wait().status == "Complete"


def test_all_pages_are_walked_once(hosted, clients):
    client = clients(hosted.base_url)
    ids = [client.create_agent_run(f"run {number}").id for number in range(130)]
    walked = []
    for run in client.iter_agent_runs():
        walked.append(run.id)
        if len(walked) in {50, 120}:
            client.create_agent_run("in between")
    assert walked == ids[::-1]
    assert [run.id for run in client.list_agent_runs(skip=2, limit=3).items] == [130, 129, 128]


def test_the_organization_is_asked_for_once(hosted, policy):
    with CodegenClient(TOKEN, base_url=hosted.base_url, policy=policy) as client:
        assert client.org_id == ORG
        client.run("x")
        client.run("y")
    assert [path for _, path, _ in hosted.requests].count("/v1/organizations") == 1


def test_errors_are_typed(hosted, clients, policy):
    with pytest.raises(NotFoundError, match="Agent run not found") as caught:
        clients(hosted.base_url).get_agent_run(99)
    assert (caught.value.status_code, caught.value.body["status_code"]) == (404, 404)
    with CodegenClient("wrong", ORG, hosted.base_url, policy=policy) as client, pytest.raises(AuthenticationError):
        client.me()


@pytest.mark.parametrize("prompt", ["", "  \n", None, 3])
def test_prompts_that_say_nothing_are_not_sent(hosted, clients, prompt):
    with pytest.raises(UsageError, match="prompt"):
        clients(hosted.base_url).run(prompt)
    assert hosted.requests == []


def test_no_organization_stream_is_said_so(hosted, clients):
    with pytest.raises(ApiError, match="no event streams"):
        next(clients(hosted.base_url).events())


def test_the_official_class(hosted):
    agent = Agent(token=TOKEN, org_id="323", base_url=hosted.base_url, max_retries=0)
    assert agent.get_status() is None
    task = agent.run("Fix the bug")
    assert task is agent.current_job
    task.wait(poll=0.001)
    url = f"https://hosted.example/runs/{task.id}"
    known = {"id": task.id, "status": "COMPLETE", "result": "answer to Fix the bug", "web_url": url}
    assert agent.get_status() == known
    assert (agent.token, agent.org_id) == (TOKEN, ORG)
    assert agent.api_client is agent.agents_api
    agent.api_client.close()
    with pytest.raises(UsageError, match="closed"):
        agent.run("again")


def test_the_asynchronous_twin(hosted, aclient, clock):
    async def main():
        async with aclient(hosted.base_url) as client:
            task = await client.run("x")
            assert [entry.thought async for entry in task.stream()] == ["one", "two", "three"]
            assert (task.status, task.result) == ("COMPLETE", "answer to x")
            await task.resume("more")
            assert [entry.thought async for entry in task.stream()] == ["again"]
            assert len(await task.logs()) == 4
            assert (await (await client.run("y")).wait()).is_successful
            assert (await (await client.run("z")).cancel()).status == "CANCELLED"
            assert [run.id async for run in client.iter_agent_runs()] == [3, 2, 1]
            with pytest.raises(ApiError, match="no event streams"):
                await anext(client.events())

    asyncio.run(main())


def test_the_asynchronous_wait_ends_with_its_time(hosted):
    hosted.script = [""] * 1000

    async def main():
        async with AsyncCodegenClient(TOKEN, ORG, hosted.base_url) as client:
            task = await client.run("x")
            with pytest.raises(RequestTimeoutError, match=r"has not ended after 0\.2 s"):
                await task.wait(timeout=0.2, poll=0.01)

    asyncio.run(main())


@pytest.mark.parametrize("fault", [Silence(), Drip(), Drip(head=True), Answer(503)], ids=str)
def test_a_wait_ends_in_time_whatever_the_server_does(hosted, proxies, fault):
    """A server without event streams is asked again and again; none of the questions may outlast the wait."""
    proxy = proxies(hosted.base_url, [Pass(), Pass(), Pass(), Pass()], then=fault)
    with CodegenClient(TOKEN, ORG, proxy.base_url) as client:
        hosted.script = []
        task = client.run("x")
        started = time.monotonic()
        with pytest.raises(ApiError):
            task.wait(timeout=2)
        assert time.monotonic() - started < 100
