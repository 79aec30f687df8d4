"""A worker that a test kills: store and queue as in the server, told by its arguments what to do.

It prints `started`, `created ID` for each run it made sure of, `begun ID` for each turn that it takes up, and at the end
of all runs `done`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.program import say, serve
from contexten.engines.base import Engines
from contexten.protocol import Window
from contexten.server.queue import Pace, Queue
from contexten.server.store.records import NewRun
from server.queue.engines_at_work import Misbehaving, Stepping
from server.queue.patience import until

if TYPE_CHECKING:
    from contexten.engines.base import Journal, Outcome, Task
    from contexten.server.store import Store
    from contexten.settings import ServerSettings


class Telling(Stepping):
    """Says which turns it takes up."""

    async def do(self, task: Task, journal: Journal) -> Outcome:
        say("begun", task.run_id)
        return await super().do(task, journal)


async def all_ended(store: Store, runs: int) -> bool:
    _, total = await store.runs.list(1, Window(limit=1))
    return total >= runs and not await store.runs.active()


async def work(store: Store, settings: ServerSettings, order: argparse.Namespace) -> None:
    stepping = Telling()
    stepping.steps, stepping.moment, stepping.concurrency = order.steps, order.moment, order.concurrency
    stepping.gate = order.gate
    pace = Pace(scan=0.5, watch=0.2, beat=0.2, dead_after=order.dead_after)
    queue = Queue(settings, store, Engines([stepping, Misbehaving()]), pace=pace)
    await queue.start()
    say("started")
    for number in range(order.create):
        new = NewRun(
            organization_id=1, user_id=1, prompt=order.prompt, engine=order.engine, idempotency_key=f"{number}"
        )
        run, _ = await store.runs.create(new)
        queue.wake()
        say("created", run.id)
    await until(lambda: all_ended(store, order.expect), seconds=1000)
    say("done")
    await queue.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--create", type=int, default=0)
    parser.add_argument("--engine", default="stepping")
    parser.add_argument("--prompt", default="go on")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--moment", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--gate", type=Path, help="no turn takes its last step before this file is there")
    parser.add_argument("--dead-after", type=float, default=2.0)
    parser.add_argument("--expect", type=int, default=0, help="it is done when so many runs are there and have ended")
    order = parser.parse_args()
    serve(work, order)


if __name__ == "__main__":
    sys.exit(main())
