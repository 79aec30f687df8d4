"""How late a program learns that its runs have ended, and what that costs it: polling each second against streaming.

Both ways of our client against the same small server on this machine; a run's result is the moment at which it ended.
Streaming must be ten times earlier at the median, at less CPU.

    uv run python benchmarks/detection.py [--runs 100]

Ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from contexten import AsyncCodegenClient
from follow_many import SERVER, wait_for

RUN_SECONDS = 4.0
TIMES_EARLIER = 10

Wait = Callable[[AsyncCodegenClient, int], Awaitable[float]]


async def polling(client: AsyncCodegenClient, number: int) -> float:
    """Ask each second, as the documents' programs do; the moment at which the run had ended."""
    task = await client.run(f"run {number}")
    await asyncio.sleep(random.random())  # noqa: S311 - so that not all ask at the same moment
    return float((await task.wait(poll=1.0)).result or 0)


async def streaming(client: AsyncCodegenClient, number: int) -> float:
    """Be told; the moment at which the run had ended."""
    return float((await client.end_of(await client.create_agent_run(f"run {number}"))).result or 0)


async def follow(base_url: str, wait: Wait, runs: int) -> tuple[float, float]:
    """Median delay in seconds and CPU seconds."""

    async def late(number: int) -> float:
        ended = await wait(client, number)
        return time.monotonic() - ended

    async with AsyncCodegenClient("token", 1, base_url) as client:
        await client.health()
        before = time.process_time()
        async with client.listening() if wait is streaming else asyncio.timeout(None):
            delays = await asyncio.gather(*[late(number) for number in range(runs)])
        return statistics.median(delays), time.process_time() - before


def main() -> int:
    """Measure both and print them; whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, SERVER, str(port), str(RUN_SECONDS)])
    base_url = f"http://127.0.0.1:{port}"
    try:
        wait_for(base_url)
        (polled, polled_cpu), (told, told_cpu) = (
            asyncio.run(follow(base_url, wait, runs)) for wait in (polling, streaming)
        )
    finally:
        server.terminate()
        server.wait()
    print(f"{runs} runs of {RUN_SECONDS:g} s      median delay      CPU")
    print(f"  polling each second   {polled * 1e3:8.1f} ms  {polled_cpu:6.3f} s")
    print(f"  streaming             {told * 1e3:8.1f} ms  {told_cpu:6.3f} s")
    print(
        f"  {polled / told:.0f} times earlier (target {TIMES_EARLIER}), {told_cpu / polled_cpu:.2f} of the CPU (target < 1)"
    )
    return 0 if polled / told >= TIMES_EARLIER and told_cpu < polled_cpu else 1


if __name__ == "__main__":
    raise SystemExit(main())
