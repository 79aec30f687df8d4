"""What the overlay costs a program that uses the official `codegen` package, off and on in the same run.

    uv run python benchmarks/overlay.py

Makes two environments with codegen 0.57.0 in a temporary folder (uv and Python 3.12 are needed), applies the overlay to one,
and serves a real server with an engine that answers at once. Times are lower quartiles of what was measured in turn.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from contexten.engines import Availability, Engines, Outcome
from contexten.overlay import apply, find
from contexten.protocol import RunStatus
from contexten.server.serve import Embedded
from contexten.settings import ServerSettings
from interpreters import find_python, find_uv

VERSION = "0.57.0"
IMPORTS = 25

CALLS = """
import json, os, random, time
from codegen.agents.agent import Agent, AgentTask
agent = Agent(token=os.environ["TOKEN"], org_id=1, base_url=os.environ["BASE_URL"])
hooked = {(owner, name): getattr(owner, name)
          for owner, names in ((Agent, ("__init__", "run")), (AgentTask, ("__init__", "refresh"))) for name in names}

def switch(on):
    for (owner, name), method in hooked.items():
        setattr(owner, name, method if on else method.__wrapped__)

def pair():
    started = time.perf_counter()
    agent.run("hello").refresh()
    return time.perf_counter() - started

times = {True: [], False: []}
order = [True, False] * 600
random.Random(7).shuffle(order)
for warm in range(20):
    pair()
for on in order:
    switch(on)
    times[on].append(pair())
print(json.dumps({"on": times[True], "off": times[False]}))
"""

HOOKS = """
import json, time
from codegen.contexten.integration import instrument

def classes():
    class Task:
        def __init__(self): self.id, self.org_id, self.status, self.result, self.web_url = 1, 1, "RUNNING", None, "x"
        def refresh(self): self.status = "RUNNING"
    class Agent:
        def __init__(self): self.org_id = 1
        def run(self, prompt): return Task()
    return Agent, Task

def cost(agent, count=20000):
    best = {}
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(count): agent.run("x")
        best["run"] = min(best.get("run", 1), (time.perf_counter() - started) / count)
        task = agent.run("x")
        started = time.perf_counter()
        for _ in range(count): task.refresh()
        best["refresh"] = min(best.get("refresh", 1), (time.perf_counter() - started) / count)
    return best

bare, (Agent, Task) = cost(classes()[0]()), classes()
instrument(Agent, Task)
hooked = cost(Agent())
print(json.dumps({name: (hooked[name] - bare[name]) * 1e6 for name in bare}))
"""

IMPORT = "import time; s = time.process_time(); import codegen; print(time.process_time() - s)"

MEMORY = """
import json, threading, time
from codegen.contexten import events, metrics
def resident():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
heard = 0
def handler(event):
    global heard
    heard += 1
events.register("task_status_changed", handler)
def emit(count):
    for n in range(count):
        events.emit("task_status_changed", task_id=n, status="RUNNING")
        metrics.observe("task_duration", n % 100 / 7)
emit(50_000)
before = resident(); emit(1_000_000); grown = resident() - before
started = time.perf_counter()
for _ in range(1_000_000): events.emit("nobody_listens", task_id=1)
silent = (time.perf_counter() - started) / 1_000_000
def work():
    for _ in range(10_000): metrics.increment("exact")
threads = [threading.Thread(target=work) for _ in range(32)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert heard == 1_050_000
print(json.dumps({"grown": grown, "silent": silent, "exact": metrics.get_metrics()["counters"]["exact"]}))
"""


class AtOnce:
    """Answers before anything is done."""

    name = "at-once"
    concurrency = 4

    def availability(self) -> Availability:
        """Always ready."""
        return Availability(ready=True)

    async def run(self, task: object, journal: object) -> Outcome:  # noqa: ARG002 - the engine's signature
        """Complete."""
        return Outcome(RunStatus.COMPLETE, "hello")


def environment(root: Path) -> Path:
    """The interpreter of a new environment with codegen."""
    variables = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    python = str(find_python("3.12"))
    subprocess.run([find_uv(), "venv", "-q", "--no-project", "-p", python, str(root)], check=True, env=variables)
    subprocess.run(
        [find_uv(), "pip", "install", "-q", "-p", str(root), f"codegen=={VERSION}"], check=True, env=variables
    )
    return root / "bin" / "python"


def program(python: Path, text: str, **variables: str) -> str:
    """What a program prints."""
    left_out = ("CODEGEN", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    home = {"HOME": str(python.parents[1]), "CONTEXTEN_OVERLAY_BRIDGE": "0"}
    done = subprocess.run([python, "-c", text], check=True, capture_output=True, text=True, env=kept | home | variables)
    return done.stdout


def calls(python: Path, data: Path) -> dict[str, list[float]]:
    """Seconds per run and refresh, with the hooks on and off in turn."""
    settings = ServerSettings(
        _env_file=None, CONTEXTEN_DATA_DIR=data, CONTEXTEN_REPO=Path(__file__).parent, CONTEXTEN_ENGINE=AtOnce.name
    )
    with Embedded(settings, engines=Engines([AtOnce()])) as server:
        return json.loads(program(python, CALLS, BASE_URL=server.base_url, TOKEN=server.token))


_missed: list[str] = []


def row(what: str, figure: str, target: str = "", *, met: bool | None = None) -> None:
    """One line of the table."""
    verdict = "" if met is None else "met" if met else "NOT MET"
    if met is False:
        _missed.append(what)
    print(f"{what:<54} {figure:>18}   {target:<12} {verdict}".rstrip())


def imports(off: Path, on: Path) -> tuple[float, float]:
    """CPU seconds of `import codegen` in each environment, measured in turn."""
    seen: dict[Path, list[float]] = {off: [], on: []}
    for python in (off, on) * (IMPORTS + 1):
        seen[python].append(float(program(python, IMPORT)))
    return quick(seen[off][1:]), quick(seen[on][1:])


def quick(times: list[float]) -> float:
    """The lower quartile: whatever else the machine does only adds time."""
    return statistics.quantiles(times, n=4)[0]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        off, on = (environment(Path(folder, name)) for name in ("off", "on"))
        apply(find(python=on))
        times = calls(on, Path(folder, "data"))
        added = json.loads(program(on, HOOKS))
        bare, overlaid = imports(off, on)
        memory = json.loads(program(on, MEMORY))
    without, with_it = quick(times["off"]), quick(times["on"])
    ratio, slower = with_it / without, overlaid - bare
    row("Agent.run + refresh, wall, on / off (600 pairs each)", f"{ratio:.3f} x", "<= 1.02 x", met=ratio <= 1.02)
    row("  off, and on", f"{without * 1e3:.2f}, {with_it * 1e3:.2f} ms")
    for name, cost in added.items():
        row(f"added per {name}(), nobody listening", f"{cost:.1f} us", "<= 30 us", met=cost <= 30)
    row(
        f"import codegen, CPU time added ({IMPORTS} each)",
        f"{slower * 1e3:+.1f} ms",
        "<= 10 ms",
        met=slower <= 0.010,
    )
    row("  off, and on", f"{bare * 1e3:.0f}, {overlaid * 1e3:.0f} ms")
    grown = memory["grown"]
    row("memory after 1,000,000 further events", f"{grown / 1024:+.0f} KiB", "<= 1024 KiB", met=grown <= 2**20)
    row("emit without handlers", f"{memory['silent'] * 1e9:.0f} ns", "<= 1000 ns", met=memory["silent"] <= 1e-6)
    row("32 threads, 10,000 increments each", f"{memory['exact']:,}", "320,000", met=memory["exact"] == 320_000)


if __name__ == "__main__":
    main()
    sys.exit(1 if _missed else 0)
