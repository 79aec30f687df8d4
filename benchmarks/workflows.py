"""Workflows: independent tasks at once against one after another, and what a task costs beside a bare run.

One server of its own with an engine that only waits. Sides by side:

- eight tasks of half a second that need not wait for each other, as one workflow, and as a chain: the ratio of their
  throughputs is at least 3;
- a chain of tasks that do nothing, as a durable workflow, over the same number of bare runs, each created when the one
  before it has ended: the time per task is at most 1.5 times that of a run.

    uv run python benchmarks/workflows.py

Ends with 1 when one is missed.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from contexten import CodegenClient, WorkflowBuilder
from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import RunStatus
from contexten.protocol.workflows import WorkflowDefinition
from contexten.server.serve import Embedded
from contexten.settings import ServerSettings

AT_ONCE = 8
SECONDS = 0.5
CHAIN = 20
ROUNDS = 5
LEAST_THROUGHPUT = 3.0
MOST_OVERHEAD = 1.5


class Pausing:
    """Waits for as many seconds as its prompt says."""

    name = "pausing"
    concurrency = 100
    uses_model = False

    def availability(self) -> Availability:
        """Always."""
        return Availability(ready=True)

    async def run(self, task: Any, journal: Any) -> Outcome:  # noqa: ARG002 - the engine's signature
        """Wait."""
        await asyncio.sleep(float(task.prompt))
        return Outcome(RunStatus.COMPLETE, "done")


def graph(tasks: int, seconds: float, *, chained: bool) -> WorkflowDefinition:
    """So many tasks, all at once or one after another."""
    builder = WorkflowBuilder("measured", "Measured")
    for number in range(tasks):
        before = [f"t{number - 1}"] if chained and number else []
        builder.add_task(f"t{number}", "", "testing", str(seconds), before)
    return builder.build()


def took(client: CodegenClient, definition: WorkflowDefinition) -> float:
    """Seconds from a workflow's start to its end, by the server's clock."""
    flow = client.create_workflow(definition)
    while not flow.has_ended:
        time.sleep(0.05)
        flow = client.get_workflow(flow.id)
    assert flow.summary.completed == len(definition.tasks)
    begun = [task.started_at for task in flow.tasks if task.started_at]
    ended = [task.finished_at for task in flow.tasks if task.finished_at]
    return seconds_between(min(begun), max(ended))


def seconds_between(first: str, last: str) -> float:
    """Seconds between two ISO 8601 times."""
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def runs_took(client: CodegenClient, count: int) -> float:
    """Seconds that so many bare runs take, each created when the one before it has ended."""
    began = time.perf_counter()
    for _ in range(count):
        client.run("0").wait()
    return time.perf_counter() - began


def measure(client: CodegenClient) -> int:
    """Print both ratios; 1 when one is missed."""
    took(client, graph(2, 0, chained=True))  # warm
    runs_took(client, 2)
    at_once = took(client, graph(AT_ONCE, SECONDS, chained=False))
    chained = took(client, graph(AT_ONCE, SECONDS, chained=True))
    pairs = [
        (took(client, graph(CHAIN, 0, chained=True)) / CHAIN, runs_took(client, CHAIN) / CHAIN) for _ in range(ROUNDS)
    ]
    task, run = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{AT_ONCE} tasks of {SECONDS} s: at once {at_once:.2f} s, one after another {chained:.2f} s")
    print(f"throughput at once over one after another: {chained / at_once:.1f} (at least {LEAST_THROUGHPUT})")
    print(f"a task that does nothing: {task * 1000:.1f} ms in a workflow, {run * 1000:.1f} ms as a bare run")
    print(f"time of a task over that of a bare run: {task / run:.2f} (at most {MOST_OVERHEAD})")
    return int(chained / at_once < LEAST_THROUGHPUT or task / run > MOST_OVERHEAD)


def main() -> int:
    """Serve, measure."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        values = {
            "CONTEXTEN_DATA_DIR": Path(folder) / "data",
            "CONTEXTEN_ENGINE": "pausing",
            "CONTEXTEN_REPO": Path(__file__).parent,
        }
        settings = ServerSettings(_env_file=None, **values)
        with (
            Embedded(settings, engines=Engines([Pausing()])) as server,
            CodegenClient(server.token, server.organization_id, server.base_url) as client,
        ):
            return measure(client)


if __name__ == "__main__":
    sys.exit(main())
