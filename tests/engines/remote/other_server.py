"""Another server, whose runs do what their prompts say."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

from pydantic import SecretStr

from contexten.engines import Availability, Outcome, Usage
from contexten.engines.changes import Changes, FileChange
from contexten.protocol import NewLogEntry, RunStatus
from contexten.settings import ServerSettings
from running_server import running

CHANGES = Changes("diff --git a/a.py b/a.py\n", (FileChange("a.py", "modified", 1, 2),), 1, 2)


class Obedient:
    """Does what the prompt says: `say X`, `change X`, `fail X`, `wait` for the gate, or `wait for ever`."""

    name = "obedient"
    concurrency = None

    def __init__(self):
        self.gate = threading.Event()

    def availability(self):
        return Availability(ready=True)

    async def run(self, task, journal):
        await journal.add(NewLogEntry(message_type="ACTION", tool_name="look", thought="one"), key="one")
        word, _, rest = task.prompt.partition(" ")
        if task.prompt == "wait for ever":
            await asyncio.Event().wait()
        elif word == "wait":
            await asyncio.to_thread(self.gate.wait, 150)
        elif word == "fail":
            return Outcome(RunStatus.FAILED, rest)
        await journal.add(NewLogEntry(message_type="ACTION", tool_name="look", thought="two"), key="two")
        await journal.add(NewLogEntry(message_type="FINAL_ANSWER", observation=rest), key="answer")
        changes = CHANGES if word == "change" else None
        return Outcome(RunStatus.COMPLETE, rest, f"said {rest}", Usage(100, 10, 0.25), changes)


class There:
    """The other server, and how to reach it."""

    def __init__(self, place, engine):
        self.place, self.engine = place, engine

    @property
    def runs(self):
        return self.place.admin.http.get(self.place.admin.url("/agent/runs")).json()["items"]

    def read(self, run_id):
        return self.place.admin.read(run_id)

    def until(self, run_id, done):
        return self.place.admin.until(run_id, done, seconds=150)

    def settings(self, tmp_path, **more):
        values = {
            "CONTEXTEN_DATA_DIR": tmp_path / "here",
            "CONTEXTEN_REMOTE_BASE_URL": self.place.server.base_url,
            "CONTEXTEN_REMOTE_TOKEN": SecretStr(self.place.member.token),
            "CONTEXTEN_REMOTE_ORG_ID": 1,
            **more,
        }
        return ServerSettings(_env_file=None, **values)

    def stop(self, run_id):
        org = self.place.admin.org
        self.place.admin.http.post(f"/v1/beta/organizations/{org}/agent/run/stop", json={"agent_run_id": run_id})


@contextmanager
def other_server(folder):
    engine = Obedient()
    with running(folder, more_engines=[engine], CONTEXTEN_ENGINE="obedient") as place:
        yield There(place, engine)
