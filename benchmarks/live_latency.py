"""From an engine's log entry to a client's event stream: p50 at most 20 ms with 100 watchers.

The server is a process of its own. Its engine writes entries that hold the moment of writing; every watcher has an
open event stream of the same run and notes the moment at which the entry is there. Both read the same clock.

    uv run python benchmarks/live_latency.py [--watchers 100] [--entries 60]

Ends with 1 when the p50 is over the target or a watcher missed an entry.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TARGET_MS = 20.0
PAUSE = 0.05
_MOMENT = re.compile(rb'"thought":"at (\d+)"')


def serve_talker(folder: Path, watchers: int, entries: int) -> None:
    """A server whose engine talks once all watchers are there."""
    from contexten.engines import Availability, Engines, Outcome
    from contexten.protocol import NewLogEntry, RunStatus
    from contexten.server.serve import Started, serve
    from contexten.settings import ServerSettings

    class Talker:
        name = "talker"
        concurrency = None

        def availability(self) -> Availability:
            return Availability(ready=True)

        async def run(self, task: Any, journal: Any) -> Outcome:  # noqa: ARG002 - the engine's signature
            while not (folder / "all-there").exists():  # noqa: ASYNC110 - another process says so
                await asyncio.sleep(0.05)
            for number in range(entries):
                await asyncio.sleep(PAUSE)
                entry = NewLogEntry(message_type="ACTION", thought=f"at {time.time_ns()}")
                await journal.add(entry, key=f"entry-{number}")
            return Outcome(RunStatus.COMPLETE, f"told {watchers}")

    def tell(started: Started) -> None:
        port = int(started.base_url.rpartition(":")[2])
        print(json.dumps({"port": port, "token": started.token}), flush=True)

    settings = {
        "CONTEXTEN_DATA_DIR": folder / "data",
        "CONTEXTEN_PORT": 0,
        "CONTEXTEN_ENGINE": "talker",
        "CONTEXTEN_REPO": Path(__file__).parent,
    }
    serve(ServerSettings(_env_file=None, **settings), tell, engines=Engines([Talker()]))


class Watcher:
    """One open event stream."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.open = asyncio.Event()

    async def follow(self, port: int, token: str, run_id: int) -> None:
        """Read to the end, noting how late each entry is, in milliseconds."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_request("GET", f"/v1/organizations/1/agent/run/{run_id}/events", port, token))
        while part := await reader.read(65536):
            now = time.time_ns()
            self.open.set()
            self.delays += [(now - int(moment)) / 1e6 for moment in _MOMENT.findall(part)]
            if b"\r\n0\r\n\r\n" in part:
                break
        writer.close()


async def watch(folder: Path, port: int, token: str, watchers: int) -> list[Watcher]:
    """Create the run, let all watchers follow it to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"prompt": "talk"})
    writer.write(_request("POST", "/v1/organizations/1/agent/run", port, token, body))
    answer = b""
    while not (found := re.search(rb'\{"id":(\d+),', answer)):
        answer += await reader.read(65536)
        assert not reader.at_eof(), answer
    group = [Watcher() for _ in range(watchers)]
    streams = [asyncio.create_task(watcher.follow(port, token, int(found[1]))) for watcher in group]
    for watcher in group:
        await watcher.open.wait()
    (folder / "all-there").touch()
    await asyncio.gather(*streams)
    writer.close()
    return group


def _request(method: str, path: str, port: int, token: str, body: str = "") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def measure(watchers: int, entries: int) -> int:
    """Run it and print the table; 1 when the target is missed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve", folder, "--watchers", str(watchers), "--entries", str(entries)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            try:
                found = json.loads(process.stdout.readline())
                group = asyncio.run(watch(Path(folder), found["port"], found["token"], watchers))
            finally:
                process.terminate()
    delays = [delay for watcher in group for delay in watcher.delays]
    missed = sum(len(watcher.delays) != entries for watcher in group)
    cuts = statistics.quantiles(delays, n=100)
    print(f"watchers {watchers}, entries {entries}, deliveries {len(delays)}, watchers that missed some {missed}")
    print(f"p50 {cuts[49]:.1f} ms   p95 {cuts[94]:.1f} ms   p99 {cuts[98]:.1f} ms   (target p50 {TARGET_MS:g} ms)")
    return int(missed > 0 or cuts[49] > TARGET_MS)


def main() -> int:
    """Measure, or be the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--entries", type=int, default=60)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_talker(options.serve, options.watchers, options.entries)
        return 0
    return measure(options.watchers, options.entries)


if __name__ == "__main__":
    sys.exit(main())
