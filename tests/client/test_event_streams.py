"""Event streams of the own server: cut, stalled, shared; nothing is lost and nothing comes twice."""

import asyncio
import threading
import time
from contextlib import aclosing, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_server import connect, fast

from contexten import AsyncCodegenClient, errors
from contexten.protocol import LogEvent
from contexten.resilience import Policy, Retry
from fault_proxy import Answer, FakeClock, Pass, Proxy, Reset, Stall


class TestCutStreams:
    """A stream that is cut and opened again tells everything once, in order."""

    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, server):
        with connect(server) as client:
            task = client.run("speak", engine="chatty").wait()
            return task.id, [event.model_dump() for event in task.events()]

    @given(cuts=st.lists(st.builds(Pass, st.integers(1, 6000), st.booleans()) | st.just(Reset()), max_size=6))
    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_anywhere(self, server, told, cuts):
        run_id, everything = told
        with Proxy(server.base_url, cuts) as proxy, connect(server, proxy.base_url, policy=fast()) as client:
            assert [event.model_dump() for event in client.run_events(run_id)] == everything

    @given(cuts=st.lists(st.builds(Pass, st.integers(1, 6000), st.booleans()) | st.just(Reset()), max_size=6))
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
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

    def test_the_longest_entry_and_result_arrive(self, server, proxies):
        proxy = proxies(server.base_url)
        with connect(server) as client, connect(server, proxy.base_url, policy=fast()) as through_a_proxy:
            task = client.run("speak", engine="wordy").wait()
            logs = [event for event in through_a_proxy.run_events(task.id) if isinstance(event, LogEvent)]
        assert any(len(log.entry.thought or "") > 100_000 for log in logs)
        assert len(task.result) > 100_000

    def test_the_longest_entry_and_result_arrive_in_the_twin(self, server):
        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, server.base_url) as client:
                task = await client.run("speak", engine="wordy")
                events = [event async for event in task.events()]
                return events, await task.wait()

        events, task = asyncio.run(main())
        assert any(len(event.entry.thought or "") > 100_000 for event in events if isinstance(event, LogEvent))
        assert len(task.result) > 100_000

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


def test_a_break_before_the_first_event_loses_nothing(server, client, proxies):
    """An organization's stream starts now; now is when it was opened first, not when it was opened again."""
    proxy = proxies(server.base_url)

    async def main():
        async with AsyncCodegenClient(server.token, server.organization_id, proxy.base_url) as twin:
            told = twin.events()
            first = asyncio.create_task(anext(told))
            await proxy.passed(b"event: open")
            proxy.upstream, upstream = "http://127.0.0.1:9", proxy.upstream
            proxy.break_all()
            run = await asyncio.to_thread(client.create_agent_run, "unheard")
            proxy.upstream = upstream
            event = await asyncio.wait_for(first, 150)
            assert (event.agent_run_id, event.turn) == (run.id, 1)
            assert event.event == "log" or event.status == "PENDING"
            await told.aclose()

    asyncio.run(main())


def test_the_organizations_events(server, client):
    told = client.events()
    seen = []

    def listen():
        for event in told:
            seen.append(event)
            if len(seen) > 1 and event.get("status") == "COMPLETE":
                return

    listener = threading.Thread(target=listen)
    listener.start()
    runs = []
    while listener.is_alive():
        runs.append(client.run("hear me"))
        listener.join(0.5)
    told.close()
    assert {event.agent_run_id for event in seen} <= {run.id for run in runs}
    again = client.events(after=seen[0].id)
    assert next(again).id == seen[1].id
    again.close()


class TestWatchers:
    """Whoever watches an organization is told when its stream breaks and opens, and says how long to wait."""

    @pytest.fixture
    def told(self):
        return []

    @pytest.fixture
    def watching(self, told):
        return {"on_open": lambda *, gap: told.append(("open", gap)), "on_lost": lambda error: told.append(type(error))}

    def test_are_told(self, server, client, proxies, told, watching):
        client.run("to be seen").wait()
        proxy = proxies(server.base_url, [Answer(503)])
        with (
            connect(server, proxy.base_url, policy=fast()) as through,
            closing(through.events(after=0, **watching)) as events,
        ):
            next(events)
        assert told == [errors.ServerError, ("open", False)]

    def test_are_told_in_the_twin(self, server, client, proxies, told, watching):
        client.run("to be seen").wait()
        proxy = proxies(server.base_url, [Answer(503)])

        async def main():
            async with (
                AsyncCodegenClient(server.token, server.organization_id, proxy.base_url, policy=fast()) as twin,
                aclosing(twin.events(after=0, **watching)) as events,
            ):
                await anext(events)

        asyncio.run(main())
        assert told == [errors.ServerError, ("open", False)]

    def test_wait_as_long_as_they_say(self, server, proxies, told, watching):
        proxy = proxies(server.base_url, then=Answer(503))
        policy = Policy(clock=FakeClock())
        with (
            connect(server, proxy.base_url, policy=policy) as through,
            pytest.raises(errors.ServerError),
        ):
            next(through.events(retry=Retry(retries=3), **watching))
        assert told == [errors.ServerError] * 3


class TestManyWaits:
    """Waits of one client share an event stream, and nothing is left of it afterwards."""

    def test_all_end_with_their_runs(self, server, client):
        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, server.base_url) as twin:
                held = [await twin.run(f"held {number}", engine="held") for number in range(4)]
                quick = [await twin.run(f"quick {number}") for number in range(20)]
                waits = [asyncio.create_task(task.wait(timeout=60)) for task in [*held, *quick]]
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

    def test_an_end_that_the_stream_tells_is_not_asked_for(self, server, client, proxies):
        proxy = proxies(server.base_url)

        async def main():
            async with (
                AsyncCodegenClient(server.token, server.organization_id, proxy.base_url) as twin,
                twin.listening(),
            ):
                runs = [await twin.create_agent_run("x", engine="held") for _ in range(12)]
                waits = [asyncio.create_task(twin.end_of(run)) for run in runs]
                await proxy.asked(b"/agent/runs", 1)
                for run in runs:
                    await asyncio.to_thread(client.cancel_agent_run, run.id)
                ends = await asyncio.gather(*waits)
                assert {end.status for end in ends} == {"CANCELLED"}

        asyncio.run(main())
        assert not [one for one in proxy.requests if b"/agent/run/" in one.split(b"\r\n")[0]]

    def test_runs_that_ended_before_anybody_listened_are_found(self, server, client):
        ended = [client.run(f"early {number}").wait() for number in range(6)]
        stale = [task.run.model_copy(update={"status": "PENDING", "result": None}) for task in ended]

        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, server.base_url) as twin:
                return await asyncio.wait_for(asyncio.gather(*[twin.end_of(run) for run in stale]), 150)

        assert [end.result for end in asyncio.run(main())] == [f"early {number}" for number in range(6)]

    def test_what_the_server_refuses_ends_every_wait(self, server, client, proxies):
        runs = [client.create_agent_run("x", engine="held") for _ in range(5)]
        proxy = proxies(server.base_url, then=Answer(401))

        async def main():
            async with AsyncCodegenClient(server.token, server.organization_id, proxy.base_url, policy=fast()) as twin:
                waits = [asyncio.create_task(twin.end_of(run)) for run in runs]
                ends = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 150)
                assert {type(end) for end in ends} == {errors.AuthenticationError}
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(main())
        for run in runs:
            client.cancel_agent_run(run.id)

    def test_a_run_that_is_not_there_ends_only_its_own_wait(self, server, client):
        held = client.run("x", engine="held")
        absent = held.run.model_copy(update={"id": held.id + 1000})

        async def main():
            async with (
                AsyncCodegenClient(server.token, server.organization_id, server.base_url) as twin,
                twin.listening(),
            ):
                wait = asyncio.create_task(twin.end_of(held.run))
                with pytest.raises(errors.NotFoundError):
                    await asyncio.wait_for(twin.end_of(absent), 150)
                await twin.cancel_agent_run(held.id)
                assert (await wait).status == "CANCELLED"

        asyncio.run(main())

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
                await asyncio.wait_for(asyncio.gather(*waits[:5]), 150)
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
        with connect(server, proxy.base_url) as client:  # which gives a busy server time
            assert [event.event for event in client.run_events(run_id)].count("log") == 3

    def test_a_wait_ends_in_time(self, server, client, proxies):
        held = client.run("x", engine="held")
        proxy = proxies(server.base_url, [Pass(), Stall(300)])
        with connect(server, proxy.base_url) as stalled:
            task = stalled.task(held.id)
            began = time.monotonic()
            with pytest.raises(errors.RequestTimeoutError, match=r"has not ended after 0\.5 s"):
                task.wait(timeout=0.5)
            assert time.monotonic() - began < 100
        client.cancel_agent_run(held.id)
