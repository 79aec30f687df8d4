"""The client against Contexten's own server: everything that it can do and a hosted one cannot."""

import asyncio
import inspect
import math
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from own_server import connect

from contexten import AgentTask, AsyncAgentTask, AsyncCodegenClient, CodegenClient, errors
from contexten.client import LocalCredentials
from contexten.protocol import AgentRunDetail, LocalRepository, Role
from contexten.resilience import Policy
from contexten.server.lock import DataLock
from fault_proxy import Answer, FakeClock, Lose, Pass, Reset


def test_a_run_is_streamed_live(client):
    task = client.run("Who calls refund_order?")
    assert [entry.message_type for entry in task.stream()] == ["USER_MESSAGE", "ACTION", "FINAL_ANSWER"]
    assert (task.status, task.result, task.summary) == ("COMPLETE", "Who calls refund_order?", "echoed")
    assert isinstance(task.run, AgentRunDetail)
    assert task.run["engine"] == "echo"
    assert [entry.get("thought") for entry in task.logs()][1:] == ["looking", "Who calls refund_order?"]
    assert client.get_agent_run_logs(task.id)["logs"] == task.logs()


def test_a_resumed_run_streams_its_new_turn(client):
    task = client.run("one").wait()
    task.resume("two")
    assert [entry.thought for entry in task.stream() if entry.message_type == "FINAL_ANSWER"] == ["two"]
    assert task.result == "two"
    assert [event.turn for event in task.events() if event.get("status") == "COMPLETE"] == [1, 2]


def test_waiting_ends_with_the_run_or_the_time(client):
    held = client.run("x", engine="held")
    with pytest.raises(errors.RequestTimeoutError, match=rf"Run {held.id} has not ended after 0\.3 s"):
        held.wait(timeout=0.3)
    stop = threading.Timer(0.1, lambda: client.cancel_agent_run(held.id))
    stop.start()
    assert held.wait(timeout=60).status == "CANCELLED"
    stop.join()
    assert held.wait().is_terminal
    assert client.run("x").wait(timeout=math.inf).is_terminal


@pytest.mark.parametrize(
    "limits", [{"timeout": math.nan}, {"timeout": -1}, {"poll": 0}, {"poll": -1}, {"poll": math.nan}], ids=str
)
def test_times_that_cannot_be_meant_are_named(server, client, limits):
    [(name, value)] = limits.items()
    message = rf"{name} is {value}"
    held = client.run("x", engine="held")
    with pytest.raises(errors.UsageError, match=message):
        held.wait(**limits)

    async def main():
        async with AsyncCodegenClient(server.token, server.organization_id, server.base_url) as twin:
            with pytest.raises(errors.UsageError, match=message):
                await (await twin.task(held.id)).wait(**limits)

    asyncio.run(main())
    held.cancel()


def test_the_local_server_is_found_by_itself(server, tmp_path):
    LocalCredentials(server.base_url, server.token, server.organization_id).write(tmp_path / "data")
    lock = DataLock(tmp_path / "data")
    lock.acquire(server.base_url)
    with CodegenClient() as client:
        assert (client.base_url, client.org_id) == (server.base_url, server.organization_id)
        assert client.run("found").wait(timeout=60).result == "found"
    lock.release()


def test_everything_the_api_has(client, tmp_path):
    assert client.health()["status"] == "ok"
    assert {engine.name for engine in client.list_engines()} == {"echo", "held", "chatty", "wordy"}
    assert client.list_organizations().items[0].id == client.org_id
    assert [item.id for item in client.iter_organizations()] == [client.org_id]
    me = client.me()
    assert client.get_user(me.id) == me
    assert me in client.list_users().items
    assert me in list(client.iter_users())

    assert client.create_sign_in_link().url.startswith(f"{client.base_url}/?code=")
    token = client.create_token("reader", Role.READ_ONLY)
    assert token.id in {known.id for known in client.list_tokens()}
    with (
        CodegenClient(token.token, client.org_id, client.base_url) as reader,
        pytest.raises(errors.PermissionDeniedError),
    ):
        reader.run("not mine")
    client.revoke_token(token.id)
    with CodegenClient(token.token, client.org_id, client.base_url) as gone, pytest.raises(errors.AuthenticationError):
        gone.me()

    repo = client.add_repository(str(tmp_path))
    assert isinstance(repo, LocalRepository)
    assert repo.id in {known.id for known in client.iter_repositories()}
    assert client.list_repositories(limit=1).size == 1
    client.update_check_suite_settings(repo.id, {"check_retry_count": 4, "ignored_checks": ["lint"]})
    assert client.get_check_suite_settings(repo.id).check_retry_count == 4
    client.remove_repository(repo.id)
    with pytest.raises(errors.NotFoundError):
        client.get_check_suite_settings(repo.id)

    assert client.get_integrations().organization_id == client.org_id
    client.get_cli_rules()
    session = client.create_claude_code_session("session-1")
    client.log_claude_code_session("session-1", {"type": "note"})
    client.set_claude_code_session_status("session-1", "COMPLETE")
    assert client.get_agent_run(session.agent_run_id).status == "COMPLETE"
    made = client.create_organization("another")
    with CodegenClient(made.token, base_url=client.base_url) as other:
        assert other.org_id == made.id
        assert list(other.iter_agent_runs()) == []


def test_runs_are_chosen_by_what_they_are(server, client):
    held = client.run("hold", engine="held")
    done = client.run("done", metadata={"a": 1}).wait(timeout=60)
    choices = [
        {"engine": "held", "status": ["PENDING", "RUNNING"]},
        {"status": "COMPLETE", "before_id": done.id + 1, "repo_id": done.run["repo_id"]},
        {"engine": "held", "status": "COMPLETE"},
    ]

    async def first_of(chosen):
        async with AsyncCodegenClient(server.token, server.organization_id, server.base_url) as twin:
            page = await twin.list_agent_runs(limit=1, **chosen)
            return [run.id for run in page.items], [run.id async for run in twin.iter_agent_runs(**chosen)][:1]

    found = [[run.id for run in client.list_agent_runs(limit=1, **chosen).items] for chosen in choices]
    assert found == [[held.id], [done.id], []]
    assert found == [[run.id for run in client.iter_agent_runs(**chosen)][:1] for chosen in choices]
    assert [(each, each) for each in found] == [asyncio.run(first_of(chosen)) for chosen in choices]
    with pytest.raises(errors.UsageError, match="not chosen by 'state'"):
        client.list_agent_runs(state="COMPLETE")
    held.cancel()


def test_options_of_a_run_arrive(client):
    run = client.create_agent_run("x", metadata={"k": 1}, engine="echo", model="m:n", timeout=5)
    assert (run["metadata"], run["engine"], run["model"]) == ({"k": 1}, "echo", "m:n")
    with pytest.raises(errors.UsageError, match="timeout is -1"):
        client.run("x", timeout=-1)
    with pytest.raises(errors.InvalidInputError):
        client.run("x", engine="nobody")


def test_runs_are_found(client):
    task = client.run("zebra crossing").wait()
    assert [hit.run.id for hit in client.search("zebra").items][:1] == [task.id]
    assert task.id in {hit.run.id for hit in client.iter_search("zebra")}


def test_the_asynchronous_twin(server, tmp_path):
    async def main():
        async with AsyncCodegenClient(server.token, None, server.base_url) as client:
            assert await client.organization() == server.organization_id
            await walk_runs(client)
            await walk_the_rest(client, tmp_path)

    async def walk_runs(client):
        task = await client.run("hello twin")
        assert [entry.message_type async for entry in task.stream()] == ["USER_MESSAGE", "ACTION", "FINAL_ANSWER"]
        assert (task.status, task.result) == ("COMPLETE", "hello twin")
        await task.resume("more")
        assert [entry.thought async for entry in task.stream() if entry.thought][-1] == "more"
        assert len(await task.logs()) == 6
        assert [entry async for entry in client.iter_agent_run_logs(task.id)] == await task.logs()
        assert (await client.task(task.id)).result == "more"
        assert task.id in {hit.run.id async for hit in client.iter_search("twin")}
        assert task.id in {run.id async for run in client.iter_agent_runs()}
        await client.ban_agent_run(task.id)
        with pytest.raises(errors.ConflictError):
            await client.resume_agent_run(task.id, "no")
        await client.unban_agent_run(task.id)
        await client.remove_agent_run_from_pull_request(task.id)
        held = await client.run("x", engine="held")
        waiting = asyncio.create_task(held.wait())
        with pytest.raises(errors.RequestTimeoutError):
            await held.wait(timeout=0.2)
        await client.cancel_agent_run(held.id)
        assert (await waiting).status == "CANCELLED"

    async def walk_the_rest(client, folder):
        assert (await client.health())["status"] == "ok"
        assert len(await client.list_engines()) == 4
        me = await client.me()
        assert me == await client.get_user(me.id) == (await client.list_users()).items[0]
        assert [user async for user in client.iter_users()] == [me]
        assert [item.id async for item in client.iter_organizations()] == [await client.organization()]
        token, _ = await client.create_token("t"), await client.create_sign_in_link()
        assert token.id in {known.id for known in await client.list_tokens()}
        await client.revoke_token(token.id)
        repo = await client.add_repository(str(folder))
        assert repo.id in {known.id async for known in client.iter_repositories()}
        await client.update_check_suite_settings(repo.id, {"check_retry_count": 2})
        assert (await client.get_check_suite_settings(repo.id)).check_retry_count == 2
        await client.remove_repository(repo.id)
        await client.get_integrations()
        await client.get_cli_rules()
        assert (await client.create_claude_code_session("s-2")).session_id == "s-2"
        await client.log_claude_code_session("s-2", {})
        await client.set_claude_code_session_status("s-2", "FAILED")
        assert (await client.request("GET", "/health")).status_code == 200
        assert (await client.create_organization("third")).token

    asyncio.run(main())


def test_the_twins_have_the_same_methods_and_parameters():
    for sync, twin in ((CodegenClient, AsyncCodegenClient), (AgentTask, AsyncAgentTask)):
        for name, member in inspect.getmembers(sync, inspect.isfunction):
            if not name.startswith("_") and name != "close":
                assert list(inspect.signature(member).parameters) == list(
                    inspect.signature(getattr(twin, name)).parameters
                ), name
                assert inspect.getdoc(member) == inspect.getdoc(getattr(twin, name)), name


class TestIdempotency:
    @pytest.mark.parametrize("faults", [[Lose()], [Lose(), Reset()], [Answer(503)], [Pass(cut=60)]], ids=str)
    def test_a_lost_answer_does_not_make_a_second_run(self, server, client, proxies, faults):
        before = client.list_agent_runs(limit=1).total
        proxy = proxies(server.base_url)
        with connect(server, proxy.base_url, policy=Policy(clock=FakeClock())) as lossy:
            lossy.me()
            proxy.faults = list(faults)
            assert lossy.run("once").id
        assert client.list_agent_runs(limit=1).total == before + 1

    def test_the_server_is_asked_whose_it_is_when_the_first_answer_is_lost(self, server, client, proxies):
        before = client.list_agent_runs(limit=1).total
        proxy = proxies(server.base_url, [Lose()])
        with connect(server, proxy.base_url, policy=Policy(clock=FakeClock())) as lossy:
            run = lossy.create_agent_run("once")
        assert [request.split()[1] for request in proxy.requests][1] == b"/health"
        assert client.list_agent_runs(limit=1).items[0].id == run.id
        assert client.list_agent_runs(limit=1).total == before + 1

    def test_a_resume_is_never_repeated_when_its_answer_is_lost(self, server, client, proxies):
        task = client.run("one").wait()
        proxy = proxies(server.base_url)
        with connect(server, proxy.base_url, policy=Policy(clock=FakeClock())) as lossy:
            lossy.me()
            proxy.faults = [Lose()]
            with pytest.raises(errors.ConnectionLostError):
                lossy.resume_agent_run(task.id, "two")
        task.refresh()
        assert (task.wait().result, task.run["turn"]) == ("two", 2)

    def test_the_same_key_is_the_same_run(self, client):
        first = client.run("x", idempotency_key="order-66")
        assert client.run("x", idempotency_key="order-66").id == first.id
        with pytest.raises(errors.ConflictError):
            client.run("y", idempotency_key="order-66")


def test_connections_are_reused(server, proxies):
    with connect(server) as client:
        for _ in range(30):
            client.me()
        assert len(client._connection._pool.client()._transport._pool.connections) == 1


def test_a_synchronous_program_loads_only_what_it_uses(server):
    program = f"""
        import sys
        before = set(sys.modules)
        from contexten import CodegenClient
        with CodegenClient({server.token!r}, {server.organization_id}, {server.base_url!r}) as client:
            assert client.run("x").wait().status == "COMPLETE"
            assert client.list_agent_runs().items
        for room in ("asyncio", "dotenv", "opentelemetry", "pydantic_settings", "pyrate_limiter", "sqlite3",
                     "contexten.agents", "contexten.client.aconnection", "contexten.telemetry.tracing"):
            print(*[room] * (room in sys.modules.keys() - before))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert not done.stdout.split()
