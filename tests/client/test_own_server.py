"""The client against Contexten's own server: streams, idempotency, everything that a hosted one has not."""

import asyncio
import gc
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_proxy import Answer, FakeClock, Lose, Pass, Proxy, Reset, Stall
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten import AgentTask, AsyncAgentTask, AsyncCodegenClient, CodegenClient, errors
from contexten.client import LocalCredentials
from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import AgentRunDetail, LocalRepository, NewLogEntry, Role, RunStatus
from contexten.resilience import Policy
from contexten.server.serve import Embedded
from running_server import Echo, Held, settings_for


class Chatty:
    """Says many things, with line ends and characters of several bytes in them."""

    name = "chatty"
    concurrency = None

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        for number in range(12):
            await journal.add(
                NewLogEntry(message_type="ACTION", thought=f"{number}\r\n\n☃ id: {number}"), key=str(number)
            )
        return Outcome(RunStatus.COMPLETE, "said")


def embedded(folder):
    return Embedded(settings_for(folder), engines=Engines([Echo(), Held(), Chatty()]))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with embedded(tmp_path_factory.mktemp("own")) as server:
        yield server


def connect(server, base_url=None, **options):
    return CodegenClient(server.token, server.organization_id, base_url or server.base_url, **options)


@pytest.fixture
def client(server):
    with connect(server) as client:
        yield client


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
    assert held.wait(timeout=20).status == "CANCELLED"
    stop.join()
    assert held.wait().is_terminal


def test_the_local_server_is_found_by_itself(server, tmp_path):
    LocalCredentials(server.base_url, server.token, server.organization_id).write(tmp_path / "data")
    with CodegenClient() as client:
        assert (client.base_url, client.org_id) == (server.base_url, server.organization_id)
        assert client.run("found").wait(timeout=20).result == "found"


def test_everything_the_api_has(client, tmp_path):
    assert client.health()["status"] == "ok"
    assert {engine.name for engine in client.list_engines()} == {"echo", "held", "chatty"}
    assert client.list_organizations().items[0].id == client.org_id
    assert [item.id for item in client.iter_organizations()] == [client.org_id]
    me = client.me()
    assert client.get_user(me.id) == me
    assert me in client.list_users().items
    assert me in list(client.iter_users())

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
        assert len(await client.list_engines()) == 3
        me = await client.me()
        assert me == await client.get_user(me.id) == (await client.list_users()).items[0]
        assert [user async for user in client.iter_users()] == [me]
        assert [item.id async for item in client.iter_organizations()] == [await client.organization()]
        token = await client.create_token("t")
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


class TestCutStreams:
    """A stream that is cut and opened again tells everything once, in order."""

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, server):
        with connect(server) as client:
            task = client.run("speak", engine="chatty").wait()
            return task.id, [event.model_dump() for event in task.events()]

    @given(cuts=st.lists(st.builds(Pass, st.integers(1, 6000), st.booleans()) | st.just(Reset()), max_size=6))
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_anywhere(self, server, told, cuts):
        run_id, everything = told
        with Proxy(server.base_url, cuts) as proxy, connect(server, proxy.base_url, policy=fast()) as client:
            assert [event.model_dump() for event in client.run_events(run_id)] == everything

    @given(cuts=st.lists(st.builds(Pass, st.integers(1, 6000), st.booleans()) | st.just(Reset()), max_size=6))
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_anywhere_in_the_twin(self, server, told, cuts):
        run_id, everything = told

        async def main(base_url):
            async with AsyncCodegenClient(server.token, server.organization_id, base_url, policy=fast()) as client:
                return [event.model_dump() async for event in client.run_events(run_id)]

        with Proxy(server.base_url, cuts) as proxy:
            assert asyncio.run(main(proxy.base_url)) == everything

    def test_after_any_event_comes_the_rest(self, client, told):
        run_id, everything = told
        for place, event in enumerate(everything):
            rest = [later.model_dump() for later in client.run_events(run_id, after=event["id"])]
            assert rest == everything[place + 1 :]

    def test_errors_that_last_end_it(self, server, proxies):
        proxy = proxies(server.base_url, [Answer(503), Answer(429), Answer(401)])
        with connect(server, proxy.base_url, policy=fast()) as client, pytest.raises(errors.AuthenticationError):
            next(client.run_events(1))
        with connect(server) as client, pytest.raises(errors.NotFoundError):
            next(client.run_events(10**6))

    def test_a_server_that_never_comes_back_ends_it(self, server, proxies):
        clock = FakeClock()
        proxy = proxies(server.base_url, then=Reset())
        with (
            connect(server, proxy.base_url, policy=Policy(clock=clock)) as client,
            pytest.raises(errors.ConnectionLostError),
        ):
            next(client.run_events(1))
        assert 45 < sum(clock.sleeps) < 90


def fast():
    return Policy(clock=FakeClock())


def test_the_organizations_events(server, client):
    told = client.events()
    began = threading.Event()
    seen = []

    def listen():
        for event in told:
            seen.append(event)
            if event.get("status") == "COMPLETE":
                return
            began.set()

    listener = threading.Thread(target=listen)
    listener.start()
    runs = []
    while not began.wait(0.2):
        runs.append(client.run("hear me"))
    listener.join(20)
    told.close()
    assert {event.agent_run_id for event in seen} <= {run.id for run in runs}
    again = client.events(after=seen[0].id)
    assert next(again).id == seen[1].id
    again.close()


class TestLoopsThreadsAndForks:
    def test_one_client_in_two_event_loops(self, server):
        client = AsyncCodegenClient(server.token, server.organization_id, server.base_url)

        async def use():
            task = await client.run("x")
            return (await task.wait(timeout=20)).result

        async def use_and_close():
            async with client:
                return await use()

        assert asyncio.run(use()) == "x"
        assert asyncio.run(use_and_close()) == "x"
        with pytest.raises(errors.UsageError, match="closed"):
            asyncio.run(use())
        with warnings.catch_warnings():
            # The first loop ended with the client open: its connections end with it, which Python remarks on.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def test_two_loops_at_a_time(self, server):
        client = AsyncCodegenClient(server.token, server.organization_id, server.base_url)

        async def use():
            names = [(await client.me()).github_username for _ in range(5)]
            await client._connection._pool.client().aclose()
            return names

        with ThreadPoolExecutor(4) as pool:
            assert len({tuple(names) for names in pool.map(lambda _: asyncio.run(use()), range(4))}) == 1

    def test_threads_share_a_client(self, client):
        with ThreadPoolExecutor(8) as pool:
            assert len({task.id for task in pool.map(client.run, ["x"] * 40)}) == 40

    def test_a_forgotten_client_leaves_nothing_open(self, server):
        program = f"""
            from contexten import Agent
            Agent({server.token!r}, 1, {server.base_url!r}).run("x").wait()
            agent = Agent({server.token!r}, 1, {server.base_url!r})
            next(agent.run("y").stream())
        """
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", textwrap.dedent(program)],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_forked_child_has_connections_of_its_own(self, server):
        program = f"""
            import os, warnings
            warnings.simplefilter("ignore")
            from contexten import CodegenClient
            client = CodegenClient({server.token!r}, 1, {server.base_url!r})
            name = client.me().github_username
            children = []
            for _ in range(3):
                pid = os.fork()
                if pid == 0:
                    os._exit(0 if all(client.me().github_username == name for _ in range(20)) else 1)
                children.append(pid)
            assert all(client.me().github_username == name for _ in range(20))
            assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], check=False, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize("style", ["sync", "async"])
    def test_an_interrupt_ends_it_and_leaves_nothing(self, server, client, style):
        held = client.run("x", engine="held")
        waiting = f"CodegenClient({server.token!r}, 1, {server.base_url!r})"
        program = {
            "sync": f"""
                from contexten import CodegenClient
                with {waiting} as client:
                    for entry in client.task({held.id}).stream():
                        print(entry.thought, flush=True)
            """,
            "async": f"""
                import asyncio
                from contexten import AsyncCodegenClient
                async def main():
                    async with Async{waiting} as client:
                        task = await client.task({held.id})
                        async for entry in task.stream():
                            print(entry.thought, flush=True)
                asyncio.run(main())
            """,
        }[style]
        child = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", textwrap.dedent(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert "holding" in (child.stdout.readline() + child.stdout.readline())
        child.send_signal(signal.SIGINT)
        _, complaints = child.communicate(timeout=20)
        client.cancel_agent_run(held.id)
        assert child.returncode in {130, -signal.SIGINT}
        assert complaints.rstrip().endswith("KeyboardInterrupt")
        assert "never awaited" not in complaints
        assert "destroyed" not in complaints
        assert "ResourceWarning" not in complaints


def test_connections_are_reused(server, proxies):
    with connect(server) as client:
        for _ in range(30):
            client.me()
        assert len(client._connection._pool.client()._transport._pool.connections) == 1


def test_importing_the_package_stays_light():
    program = "import sys, contexten; print(sorted({'httpx2', 'pydantic', 'anyio', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "[]\n"


class TestManyWaits:
    """Waits of one client share an event stream, and nothing is left of it afterwards."""

    def test_all_end_with_their_runs(self, server, client):
        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, server.base_url) as twin:
                held = [await twin.run(f"held {number}", engine="held") for number in range(4)]
                quick = [await twin.run(f"quick {number}") for number in range(20)]
                waits = [asyncio.create_task(task.wait(timeout=30)) for task in [*held, *quick]]
                assert [task.result for task in await asyncio.gather(*waits[4:])] == [
                    task.run["prompt"] for task in quick
                ]
                for task in held:
                    await twin.cancel_agent_run(task.id)
                await asyncio.gather(*waits[:4])
                assert {task.status for task in held} == {"CANCELLED"}
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(main())

    def test_one_stream_serves_many(self, server, proxies):
        proxy = proxies(server.base_url)

        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, proxy.base_url) as twin:
                tasks = [await twin.run("x", engine="held") for _ in range(12)]
                waits = [asyncio.create_task(task.wait()) for task in tasks]
                for task in tasks:
                    await twin.cancel_agent_run(task.id)
                await asyncio.gather(*waits)

        asyncio.run(main())
        streams = [request for request in proxy.requests if b"/events" in request.split(b"\r\n")[0]]
        assert len(streams) <= 4

    def test_a_break_is_survived_and_a_cancelled_wait_leaves_quietly(self, server, client, proxies):
        proxy = proxies(server.base_url)

        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, proxy.base_url) as twin:
                held = [await twin.run("x", engine="held") for _ in range(6)]
                waits = [asyncio.create_task(task.wait()) for task in held]
                await proxy.asked(b"/events", 4)
                waits[5].cancel()
                proxy.break_all()
                for task in held[:5]:
                    await asyncio.to_thread(client.cancel_agent_run, task.id)
                await asyncio.wait_for(asyncio.gather(*waits[:5]), 20)
                assert waits[5].cancelled()
                await twin.cancel_agent_run(held[5].id)
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(main())

    def test_a_server_without_streams_is_polled(self, hosted):
        hosted.script = ["!COMPLETE"]

        async def main():
            async with AsyncCodegenClient("hosted-token", 323, hosted.base_url, policy=fast()) as twin:
                tasks = await asyncio.gather(*[twin.run("x") for _ in range(8)])
                await asyncio.gather(*[task.wait() for task in tasks])
                assert {task.status for task in tasks} == {"COMPLETE"}

        asyncio.run(main())


class TestStalledStreams:
    def test_silence_is_a_break(self, server, proxies, monkeypatch):
        monkeypatch.setattr("contexten.client.exchange.SILENCE", 0.3)
        with connect(server) as client:
            run_id = client.run("x").wait().id
        proxy = proxies(server.base_url, [Stall(500)])
        with connect(server, proxy.base_url, policy=fast()) as client:
            assert [event.event for event in client.run_events(run_id)].count("log") == 3

    def test_a_wait_ends_in_time(self, server, client, proxies):
        held = client.run("x", engine="held")
        proxy = proxies(server.base_url, [Pass(), Stall(300)])
        with connect(server, proxy.base_url) as stalled:
            task = stalled.task(held.id)
            began = time.monotonic()
            with pytest.raises(errors.RequestTimeoutError, match=r"has not ended after 0\.5 s"):
                task.wait(timeout=0.5)
            assert time.monotonic() - began < 5
        client.cancel_agent_run(held.id)
