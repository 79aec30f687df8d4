"""Following a thousand runs to their end: our agent over one event stream, the official SDK polling from threads.

Both talk to the same small server, which does nothing but the API: every run ends so many seconds after it was created.
Processor time and "memory taken" count from when the program is loaded and has made its first request; "memory" is that
of the whole process, imports included, and is the one that the limit is for. Beside it stands what the libraries take
that every client loads. Exits with 1 when a limit is missed. Needs Python 3.12 for the official package, installed into
an environment of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

SERVER = Path(__file__).with_name("_bare_api.py")
OFFICIAL = "codegen==0.57.0"
WALL_FACTOR, WALL_EXTRA_S = 1.2, 2.0
CPU_SHARE, MEMORY_SHARE = 1 / 4, 1 / 3

LIBRARIES_PROGRAM = """
import asyncio, h11, httpx2, resource
from pydantic import BaseModel
class Model(BaseModel):
    number: int
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
OFFICIAL_PROGRAM = """
import json, os, resource, sys, threading, time
from codegen.agents.agent import Agent
count = int(sys.argv[1])


def run(n):
    return Agent("token", 1, base_url=os.environ["CODEGEN_BASE_URL"]).run(f"prompt {n}")
def mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
ended = []
def follow(n):
    task = run(n)
    while task.status != "COMPLETE":
        time.sleep(1)
        task.refresh()
    ended.append(task.id)
run(-1).refresh()
loaded, before, started = mb(), time.process_time(), time.monotonic()
threads = [threading.Thread(target=follow, args=(n,)) for n in range(count)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(set(ended)) == count
print(json.dumps({"wall": time.monotonic() - started, "cpu": time.process_time() - before, "loaded": loaded, "mb": mb()}))
"""


def main() -> int:
    """Measure both, print the table, and say whether every limit holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each run takes")
    parser.add_argument("--role", choices=["compare", "ours"], default="compare")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.role == "ours":
        print(json.dumps(asyncio.run(follow(options.port, options.runs))))
        return 0
    return compare(options.runs, options.seconds)


def compare(runs: int, seconds: float) -> int:
    """Run both sides one after the other, each against a fresh server."""
    # Now, while this process is small: the most that a program has held is at first what its parent holds.
    libraries = float(subprocess.check_output([sys.executable, "-c", LIBRARIES_PROGRAM]))
    from interpreters import find_python, find_uv

    with tempfile.TemporaryDirectory() as folder:
        uv, python = find_uv(), Path(folder, "env", "bin", "python")
        subprocess.run([uv, "venv", "-q", "--python", find_python("3.12"), Path(folder, "env")], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, OFFICIAL], check=True)
        ours = beside_server(seconds, lambda port: [sys.executable, __file__, *told("ours", port, runs, seconds)])
        theirs = beside_server(seconds, lambda _: [str(python), "-c", OFFICIAL_PROGRAM, str(runs)])
    most = WALL_FACTOR * seconds + WALL_EXTRA_S
    rows = [
        ("ours: wall, s", ours["wall"], most),
        ("ours / official: CPU", ours["cpu"] / theirs["cpu"], CPU_SHARE),
        ("ours / official: memory taken", taken(ours) / taken(theirs), MEMORY_SHARE),
        ("ours / official: memory", ours["mb"] / theirs["mb"], MEMORY_SHARE),
    ]
    print(f"{runs} runs of {seconds:g} s          wall s    CPU s   MB taken   MB loaded")
    for name, side in (("ours, streaming", ours), (f"{OFFICIAL}, polling", theirs)):
        print(f"  {name:<28} {side['wall']:6.1f}  {side['cpu']:7.2f}  {taken(side):9.1f}  {side['loaded']:10.1f}")
    print(
        f"  {'asyncio, pydantic, httpx2':<28} {'':23}{libraries:14.1f}   {libraries / theirs['mb']:.3f} of the official"
    )
    for name, value, limit in rows:
        print(f"  {name:<28} {value:6.3f}  limit {limit:.3f}  {'ok' if value <= limit else 'MISSED'}")
    return 0 if all(value <= limit for _, value, limit in rows) else 1


def taken(side: dict[str, float]) -> float:
    """MB that following took on top of the loaded program."""
    return side["mb"] - side["loaded"]


def told(role: str, port: int, runs: int, seconds: float) -> list[str]:
    """The arguments that make this file play a part."""
    return ["--role", role, "--port", str(port), "--runs", str(runs), "--seconds", str(seconds)]


def beside_server(seconds: float, command: Any) -> dict[str, float]:
    """Run one side in a process of its own beside a fresh server; what it measured of itself."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base_url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, SERVER, str(port), str(seconds)])
    try:
        wait_for(base_url)
        environment = os.environ | {"CODEGEN_BASE_URL": base_url, "HOME": tempfile.gettempdir()}
        done = subprocess.run(command(port), env=environment, check=True, capture_output=True, text=True)
    finally:
        server.terminate()
        server.wait()
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def wait_for(base_url: str) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{base_url}/health", timeout=5):  # noqa: S310 - loopback
            return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


async def follow(port: int, runs: int) -> dict[str, float]:
    """Our side: one batch, as many runs at a time as there are."""
    from contexten.agents import AsyncEnhancedAgent

    async with AsyncEnhancedAgent("token", 1, f"http://127.0.0.1:{port}") as agent:
        await (await agent.api_client.run("prompt -1")).refresh()
        loaded, before, started = peak_mb(), time.process_time(), time.monotonic()
        outcomes = await agent.run_batch([f"prompt {n}" for n in range(runs)], max_concurrent=runs)
    assert all(outcome.ok for outcome in outcomes)
    assert len({outcome.run_id for outcome in outcomes}) == runs
    return {
        "wall": time.monotonic() - started,
        "cpu": time.process_time() - before,
        "loaded": loaded,
        "mb": peak_mb(),
    }


def peak_mb() -> float:
    """The most memory that this process has held at once, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
