"""A worker that does one workflow and that a test kills: store, queue and advancer as in the server.

It prints `started`, `ended TASK` for each run of the workflow that this process ended, and at the end `done`.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from chaos.program import say, serve
from contexten.engines.base import Engines
from contexten.server.queue import Pace, Queue
from contexten.server.store.workflow_records import NewWorkflow
from contexten.server.workflows.advancer import Advancer
from contexten.workflows.definition import read_definition
from contexten.workflows.states import first_states, states_to_json
from server.queue.engines_at_work import Stepping
from server.queue.patience import until

if TYPE_CHECKING:
    from contexten.server.store import Store
    from contexten.settings import ServerSettings

EDGES = {
    "a": "", "b": "", "c": "a", "d": "ab", "e": "b", "f": "c", "g": "cd", "h": "de", "i": "f", "j": "gh", "k": "ij", "l": "k",
}  # fmt: skip
"""Twelve tasks, each with those before it."""


def workflow() -> NewWorkflow:
    tasks = [
        {"id": name, "role": "testing", "prompt": f"do {name}", "engine": "stepping", "dependencies": list(before)}
        for name, before in EDGES.items()
    ]
    definition = read_definition({"id": "chaos", "name": "Chaos", "tasks": tasks})
    return NewWorkflow(
        organization_id=1, user_id=1, definition_id="chaos", name="Chaos", status="RUNNING", idempotency_key="chaos",
        definition=definition.model_dump(mode="json"), states=states_to_json(first_states(definition)),
    )  # fmt: skip


async def work(store: Store, settings: ServerSettings, order: argparse.Namespace) -> None:
    stepping = Stepping()
    stepping.steps, stepping.moment = 3, order.moment
    engines = Engines([stepping])
    queue = Queue(settings, store, engines, pace=Pace(scan=0.5, watch=0.2, beat=0.2, dead_after=2.0))
    await queue.start()
    async with Advancer(settings, store, queue, engines, scan=0.3) as advancer:
        told = store.runs.on_end

        def tell(run):
            say("ended", run.metadata["task"])
            told(run)

        store.runs.on_end = tell
        record, _ = await store.workflows.create(workflow())
        advancer.wake()
        say("started")

        async def over() -> bool:
            return (await store.workflows.find(record.row.id)).row.finished_at is not None

        await until(over, seconds=100)
        say("done")
    await queue.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--moment", type=float, default=0.05)
    order = parser.parse_args()
    serve(work, order)


if __name__ == "__main__":
    sys.exit(main())
