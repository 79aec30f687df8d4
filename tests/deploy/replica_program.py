"""A server process with an engine that works on a run until a file with the name of its prompt is there."""

import asyncio
import json
import os
from pathlib import Path

from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import NewLogEntry, RunStatus
from contexten.server.serve import serve
from contexten.settings import ServerSettings

NAME = os.environ["CONTEXTEN_WORKER_ID"]
RELEASED = Path(os.environ["RELEASED"])


class Patient:
    name = "patient"
    concurrency = None

    def availability(self):
        return Availability(ready=True)

    async def run(self, task, journal):
        await journal.add(
            NewLogEntry(message_type="ACTION", thought=f"taken up by {NAME}"), key=f"{NAME} {os.getpid()}"
        )
        while not (RELEASED / task.prompt).exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.05)
        await journal.add(NewLogEntry(message_type="FINAL_ANSWER", thought="released"), key="answer")
        return Outcome(RunStatus.COMPLETE, NAME)


serve(
    ServerSettings(_env_file=None),
    lambda started: print(json.dumps([started.base_url, started.metrics_url]), flush=True),
    engines=Engines([Patient()]),
)
