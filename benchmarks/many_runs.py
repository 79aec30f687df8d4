"""1,000 runs at the same time in one process: none lost, under 300 MB.

The engine does nothing but wait until all of them are under way, so they are all in memory at once.

    uv run python benchmarks/many_runs.py [--runs 1000] [--http]

Ends with 1 when a run is lost or the process grew past the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines.base import Availability, Engines, Outcome
from contexten.protocol import RunStatus
from contexten.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from contexten.engines.base import Journal, Task

LIMIT_MB = 300
SECONDS = 300.0
Create = Callable[[int], Awaitable[int]]
Count = Callable[[], Awaitable[int]]


class Meeting:
    """An engine whose runs end when all of them have begun."""

    name = "meeting"

    def __init__(self, size: int) -> None:
        self.concurrency = size
        self._size = size
        self._begun = 0
        self._all = asyncio.Event()

    def availability(self) -> Availability:
        """Always ready."""
        return Availability(ready=True)

    async def run(self, task: Task, journal: Journal) -> Outcome:  # noqa: ARG002 - it has nothing to write
        """Wait for the others."""
        self._begun += 1
        if self._begun == self._size:
            self._all.set()
        await self._all.wait()
        return Outcome(RunStatus.COMPLETE, f"met as {task.prompt}")


@asynccontextmanager
async def in_process(settings: ServerSettings, engines: Engines) -> AsyncIterator[tuple[Create, Count]]:
    """Create and count runs through the store and the queue."""
    from contexten.server.queue import Queue
    from contexten.server.store import Store
    from contexten.server.store.records import NewRun

    store = Store.open(settings)
    organization, user, _ = await store.people.first_start()
    await store.repos.add(organization.id, path=str(settings.data_dir), name="data")
    queue = Queue(settings, store, engines)
    await queue.start()

    async def create(number: int) -> int:
        new = NewRun(organization_id=organization.id, user_id=user.id, prompt=str(number), engine="meeting")
        run, _ = await store.runs.create(new)
        queue.wake()
        return run.id

    async def complete() -> int:
        if await store.runs.active():
            return 0
        events = await store.events.after(0, limit=1_000_000)
        return sum(event.event == "status" and event.status == "COMPLETE" for _, event in events)

    try:
        yield create, complete
    finally:
        await queue.stop()
        store.close()


@asynccontextmanager
async def over_http(settings: ServerSettings, engines: Engines) -> AsyncIterator[tuple[Create, Count]]:
    """Create and count runs through the API of a server in this process."""
    import httpx2

    from contexten.server.serve import Embedded

    server = await asyncio.to_thread(Embedded(settings, engines=engines).__enter__)
    runs = f"{server.base_url}/v1/organizations/{server.organization_id}/agent"
    headers = {"Authorization": f"Bearer {server.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60, limits=httpx2.Limits(max_connections=100)) as client:

        async def create(number: int) -> int:
            answer = await client.post(f"{runs}/run", json={"prompt": str(number), "engine": "meeting"})
            return int(answer.raise_for_status().json()["id"])

        async def complete() -> int:
            skip, ended = 0, 0
            while items := (await client.get(f"{runs}/runs", params={"skip": skip, "limit": 100})).json()["items"]:
                ended += sum(item["status"] == "COMPLETE" for item in items)
                skip += len(items)
            return ended

        try:
            yield create, complete
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)


async def measure(size: int, *, http: bool) -> bool:
    """Create the runs, wait for their ends, and print what it took."""
    engines = Engines([Meeting(size)])
    with tempfile.TemporaryDirectory() as folder:
        settings = ServerSettings(
            _env_file=None,
            CONTEXTEN_DATA_DIR=Path(folder, "data"),
            CONTEXTEN_REPO=Path(folder),
            CONTEXTEN_ENGINE="meeting",
        )
        async with (over_http if http else in_process)(settings, engines) as (create, complete):
            began = time.perf_counter()
            ids = await asyncio.gather(*map(create, range(size)))
            created = time.perf_counter() - began
            while (ended := await complete()) < size and time.perf_counter() - began < SECONDS:  # noqa: ASYNC110 - as a client asks
                await asyncio.sleep(0.1)
            took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lost = size - min(ended, len(set(ids)))
    print(f"{size} runs at the same time, created {'over HTTP' if http else 'in process'}, SQLite")
    print(f"  created in {created:.2f} s, all ended after {took:.2f} s: {size / took:.0f} runs/s")
    print(f"  lost {lost} (must be 0), peak memory {peak:.0f} MB (must be below {LIMIT_MB})")
    return lost == 0 and peak < LIMIT_MB


def main() -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--http", action="store_true", help="create the runs over HTTP")
    chosen = parser.parse_args()
    return 0 if asyncio.run(measure(chosen.runs, http=chosen.http)) else 1


if __name__ == "__main__":
    sys.exit(main())
