"""Event loops, threads, forks, interrupts: where a client is used, and how its use ends."""

import asyncio
import gc
import signal
import subprocess
import sys
import textwrap
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from contexten import AsyncCodegenClient, errors


def test_one_client_in_two_event_loops(server):
    client = AsyncCodegenClient(server.token, server.organization_id, server.base_url)

    async def use():
        task = await client.run("x")
        return (await task.wait(timeout=20)).result

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
        [sys.executable, "-c", textwrap.dedent(program)], check=False, capture_output=True, text=True, timeout=60
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
    _, complaints = child.communicate(timeout=20)
    client.cancel_agent_run(held.id)
    assert child.returncode in {130, -signal.SIGINT}
    assert complaints.rstrip().endswith("KeyboardInterrupt")
    assert "never awaited" not in complaints
    assert "destroyed" not in complaints
    assert "ResourceWarning" not in complaints
