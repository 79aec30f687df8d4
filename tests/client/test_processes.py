"""Event loops, threads, forks, interrupts: where a client is used, and how its use ends."""

import asyncio
import ctypes
import gc
import itertools
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from contexten import AsyncCodegenClient, CodegenClient, errors
from contexten.resilience import Breaker, Policy
from fault_proxy import Silence
from hosted_server import ORG, TOKEN


def test_one_client_in_two_event_loops(server):
    client = AsyncCodegenClient(server.token, server.organization_id, server.base_url)

    async def use():
        task = await client.run("x")
        return (await task.wait(timeout=60)).result

    async def use_and_close():
        async with client:
            return await use()

    assert asyncio.run(use()) == "x"
    with warnings.catch_warnings():
        # The first loop ended with the client open: its connections end with it, which Python remarks on.
        warnings.simplefilter("ignore", ResourceWarning)
        assert asyncio.run(use_and_close()) == "x"
        gc.collect()
    with pytest.raises(errors.UsageError, match="closed"):
        asyncio.run(use())


def test_two_loops_at_a_time(server):
    client = AsyncCodegenClient(server.token, server.organization_id, server.base_url)

    async def use():
        names = [(await client.me()).github_username for _ in range(5)]
        await client._connection._pool.client().aclose()
        return names

    with ThreadPoolExecutor(4) as pool:
        assert len({tuple(names) for names in pool.map(lambda _: asyncio.run(use()), range(4))}) == 1


def test_threads_share_a_client(client):
    with ThreadPoolExecutor(8) as pool:
        assert len({task.id for task in pool.map(client.run, ["x"] * 40)}) == 40


def test_a_forgotten_client_leaves_nothing_open(server):
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


def test_a_forked_child_has_connections_of_its_own(server):
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
        [sys.executable, "-c", textwrap.dedent(program)], check=False, capture_output=True, text=True, timeout=150
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("style", ["sync", "async"])
def test_an_interrupt_ends_it_and_leaves_nothing(server, client, style):
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
    _, complaints = child.communicate(timeout=150)
    client.cancel_agent_run(held.id)
    assert child.returncode in {130, -signal.SIGINT}
    assert complaints.rstrip().endswith("KeyboardInterrupt")
    assert "never awaited" not in complaints
    assert "destroyed" not in complaints
    assert "ResourceWarning" not in complaints


def test_an_interrupted_call_frees_the_probe_and_is_not_repeated(hosted, clock):
    """An interrupt in the middle of a request ends it at once, says nothing about the server, and leaves the client usable."""
    interrupted = []

    def interrupt(request, send):
        if not interrupted:
            interrupted.append(request)
            raise KeyboardInterrupt
        return send(request)

    breaker = Breaker(threshold=1, reset=1.0, clock=clock)
    policy = Policy(breaker=breaker, clock=clock)
    with CodegenClient(TOKEN, ORG, hosted.base_url, policy=policy, middleware=[interrupt]) as client:
        with pytest.raises(KeyboardInterrupt):
            client.me()
        assert clock.sleeps == []
        assert client.me().github_username == "dev"


def test_a_thread_interrupted_while_it_waits(server, client):
    """An exception put into a waiting thread ends its wait; the connection it used is not used again."""

    class StoppedError(Exception): ...

    held = client.run("x", engine="held")
    outcome, waiting = [], threading.Event()

    def wait():
        try:
            for event in client.run_events(held.id):
                if event.event == "log":
                    waiting.set()
        except StoppedError as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(150)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(StoppedError))
    client.cancel_agent_run(held.id)
    thread.join(150)
    assert not thread.is_alive()
    assert [type(error) for error in outcome] == [StoppedError]
    assert client.me().id


def test_a_client_that_is_closed_under_a_thread_ends_its_wait(proxies):
    """At once, however long the server is silent."""
    proxy = proxies(None, then=Silence())
    client = CodegenClient(TOKEN, ORG, proxy.base_url)
    outcome = []

    def ask():
        try:
            client.me()
        except errors.UsageError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    asyncio.run(proxy.asked())
    client.close()
    thread.join(150)
    assert not thread.is_alive()
    assert outcome == ["The client is closed. Make a new one."]


def test_an_event_loop_that_was_closed_under_its_client(server):
    """Connections of a loop that is gone are let go; the client works in the next loop and can be closed."""
    client = AsyncCodegenClient(server.token, server.organization_id, server.base_url)
    loop = asyncio.new_event_loop()
    held = loop.run_until_complete(client.run("x", engine="held"))
    waiting = loop.create_task(held.wait())
    loop.run_until_complete(asyncio.sleep(0))
    waiting.cancel()
    loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        loop.close()

        async def again():
            async with client:
                return (await client.cancel_agent_run(held.id)).status

        assert asyncio.run(again()) == "CANCELLED"
        gc.collect()


def test_a_clock_that_jumps_changes_no_time_limit(server, client, monkeypatch):
    held = client.run("x", engine="held")
    true_time, jumps = time.time, itertools.cycle([3600.0, -7200.0])
    monkeypatch.setattr(time, "time", lambda: true_time() + next(jumps))
    began = time.monotonic()
    with pytest.raises(errors.RequestTimeoutError, match=r"has not ended after 0\.5 s"):
        held.wait(timeout=0.5)
    assert 0.5 <= time.monotonic() - began < 100
    monkeypatch.undo()
    client.cancel_agent_run(held.id)
