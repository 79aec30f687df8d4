"""Creating a run over HTTP: p50 at most 3 times that of a bare FastAPI route that inserts one row.

Both servers are processes of their own, each with uvicorn and a SQLite file in the same mode, and answer requests in
turns over one kept-alive connection each. The client is a plain socket, so that it adds as little as it can to both.
What is measured is the request: before the next pair, the run that was created is let end. The last line shows, for
information, what a create takes while the runs of the creates before it are still being done in the same process.

    uv run python benchmarks/create_run.py [--requests 400]

Ends with 1 when the ratio is over the target.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = 3.0
WARM_UP = 50
PROMPT = "Who calls refund_order, and is it retried?"


def serve_bare(folder: Path) -> None:
    """One route, one insert, through an engine that is set up as the store's is."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sqlalchemy import URL, Column, Integer, MetaData, Table, Text, insert

    from contexten.server.store.connections import connect

    metadata = MetaData()
    rows = Table("rows", metadata, Column("id", Integer, primary_key=True), Column("prompt", Text, nullable=False))
    engine = connect(URL.create("sqlite", database=str(folder / "bare.sqlite")), connections=5)
    writing = engine.execution_options(contexten_writes=True)
    metadata.create_all(writing)

    class Body(BaseModel):
        prompt: str

    app = FastAPI()

    @app.post("/rows")
    def create(body: Body) -> dict[str, Any]:
        with writing.begin() as connection:
            key = connection.execute(insert(rows).values(prompt=body.prompt)).inserted_primary_key
        assert key is not None
        return {"id": key[0], "prompt": body.prompt}

    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1], "token": "none"}), flush=True)
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error")).run([listener])


def serve_ours(folder: Path) -> None:
    """The whole server, with an engine that does nothing."""
    from contexten.engines import Availability, Engines, Outcome
    from contexten.protocol import RunStatus
    from contexten.server.serve import Started, serve
    from contexten.settings import ServerSettings

    class Nothing:
        name = "nothing"
        concurrency = None

        def availability(self) -> Availability:
            return Availability(ready=True)

        async def run(self, task: Any, journal: Any) -> Outcome:  # noqa: ARG002 - the engine's signature
            return Outcome(RunStatus.COMPLETE, "")

    def tell(started: Started) -> None:
        port = int(started.base_url.rpartition(":")[2])
        print(json.dumps({"port": port, "token": started.token}), flush=True)

    settings = {
        "CONTEXTEN_DATA_DIR": folder / "data",
        "CONTEXTEN_PORT": 0,
        "CONTEXTEN_ENGINE": "nothing",
        "CONTEXTEN_REPO": Path(__file__).parent,
    }
    serve(ServerSettings(_env_file=None, **settings), tell, engines=Engines([Nothing()]))


class Connection:
    """One kept-alive connection that posts the same request again and again."""

    def __init__(self, port: int, token: str, path: str) -> None:
        self._post = request("POST", path, port, token, json.dumps({"prompt": PROMPT}))
        self._health = request("GET", "/health", port, token)
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self) -> float:
        """Seconds that one request takes."""
        began = time.perf_counter()
        self._socket.sendall(self._post)
        head, body = self._read()
        took = time.perf_counter() - began
        assert head.startswith(b"HTTP/1.1 200"), (head, body)
        return took

    def settle(self) -> None:
        """Wait until no run is under way."""
        active = 1
        while active:
            self._socket.sendall(self._health)
            active = json.loads(self._read()[1])["runs_active"]
            time.sleep(0.002 * active)

    def _read(self) -> tuple[bytes, bytes]:
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        )
        while len(body) < length:
            body += self._socket.recv(65536)
        return head, body


def request(method: str, path: str, port: int, token: str, body: str = "") -> bytes:
    """A request as bytes."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def connections(folder: Path) -> Iterator[Connection]:
    """A connection to the bare server, then one to ours."""
    for kind, path in (("bare", "/rows"), ("ours", "/v1/organizations/1/agent/run")):
        process = subprocess.Popen(
            [sys.executable, __file__, "--serve", kind, "--folder", folder], stdout=subprocess.PIPE
        )
        PROCESSES.append(process)
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        yield Connection(found["port"], found["token"], path)


PROCESSES: list[subprocess.Popen[bytes]] = []


def measure(requests: int) -> int:
    """Both in turns, then the table."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            bare, ours = connections(Path(folder))
            for _ in range(WARM_UP):
                pair(bare, ours)
            pairs = [pair(bare, ours) for _ in range(requests)]
            busy = statistics.median(ours.post() for _ in range(WARM_UP))
        finally:
            for process in PROCESSES:
                process.terminate()
            for process in PROCESSES:
                process.wait()
    print(f"create run, one right after another: p50 {busy * 1000:.2f} ms")
    return report(pairs)


def pair(bare: Connection, ours: Connection) -> tuple[float, float]:
    """What one request of each takes, with nothing else going on."""
    ours.settle()
    return bare.post(), ours.post()


def report(pairs: list[tuple[float, float]]) -> int:
    """Print the table; 1 when the target is missed."""
    columns = list(zip(*pairs, strict=True))
    for name, values in zip(("bare route", "create run"), columns, strict=True):
        cuts = statistics.quantiles(values, n=20)
        print(f"{name:<12} p50 {cuts[9] * 1000:6.2f} ms   p95 {cuts[18] * 1000:6.2f} ms   ({len(values)} requests)")
    ratio = statistics.median(columns[1]) / statistics.median(columns[0])
    print(f"ratio of the p50: {ratio:.2f} (target {TARGET})")
    return int(ratio > TARGET)


def main() -> int:
    """Measure, or be one of the two servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--serve", choices=("bare", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        (serve_bare if options.serve == "bare" else serve_ours)(options.folder)
        return 0
    return measure(options.requests)


if __name__ == "__main__":
    sys.exit(main())
