"""A real server on loopback, with engines that do as they are told, and one caller of each kind."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import NewLogEntry, RunStatus
from contexten.server.serve import Embedded
from contexten.settings import ServerSettings


class Echo:
    """Says two things and answers with the prompt."""

    name = "echo"
    concurrency = None

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        await journal.add(NewLogEntry(message_type="ACTION", tool_name="look", thought="looking"), key="look")
        await journal.add(NewLogEntry(message_type="FINAL_ANSWER", thought=task.prompt), key="answer")
        return Outcome(RunStatus.COMPLETE, task.prompt, summary="echoed")


class Held:
    """Works until it is stopped."""

    name = "held"
    concurrency = None

    def availability(self):
        return Availability(ready=False, detail="never ready")

    async def run(self, task, journal):
        await journal.add(NewLogEntry(message_type="ACTION", thought="holding"), key="hold")
        await asyncio.Event().wait()


def engines():
    return Engines([Echo(), Held()])


def settings_for(data_dir, **more):
    values = {
        "CONTEXTEN_DATA_DIR": data_dir / "data",
        "CONTEXTEN_CACHE_DIR": data_dir / "cache",
        "CONTEXTEN_REPO": data_dir,
        "CONTEXTEN_ENGINE": "echo",
        "CONTEXTEN_HEARTBEAT": 0.3,
        "CONTEXTEN_MAX_PROMPT_BYTES": 10_000,
        "CONTEXTEN_MAX_BODY_BYTES": 100_000,
        **more,
    }
    return ServerSettings(_env_file=None, **values)


@dataclass
class Caller:
    """Requests with one token."""

    base_url: str
    org: int
    token: str = field(repr=False)

    def __post_init__(self):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self.http = httpx2.Client(base_url=self.base_url, headers=headers, timeout=60)

    def url(self, path):
        return f"/v1/organizations/{self.org}{path}"

    def create(self, prompt="hello", **body):
        answer = self.http.post(self.url("/agent/run"), json={"prompt": prompt, **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def read(self, run_id):
        return self.http.get(self.url(f"/agent/run/{run_id}")).json()

    def until(self, run_id, done=lambda run: run["status"] not in {"PENDING", "RUNNING"}, seconds=150):
        deadline = time.monotonic() + seconds
        while not done(run := self.read(run_id)):
            assert time.monotonic() < deadline, run
            time.sleep(0.02)
        return run

    def stop_all(self):
        """Stop what still runs: a server that ends would give it five seconds more."""
        for run in self.http.get(self.url("/agent/runs"), params={"limit": 100}).json().get("items", ()):
            if run["status"] in {"PENDING", "RUNNING"}:
                stop = "/v1/beta" + self.url("/agent/run/stop").removeprefix("/v1")
                self.http.post(stop, json={"agent_run_id": run["id"]})

    def finished(self, prompt="hello", **body):
        return self.until(self.create(prompt, **body)["id"])


@dataclass
class Place:
    """A server and its callers."""

    server: Embedded
    admin: Caller
    member: Caller
    reader: Caller
    other: Caller
    nobody: Caller

    @property
    def hub(self):
        return self.server._server._services.hub

    @property
    def database(self):
        return self.server._server._services.store.database_path

    @property
    def callers(self):
        return [self.admin, self.member, self.reader, self.other, self.nobody]


def open_place(server):
    admin = Caller(server.base_url, server.organization_id, server.token)

    def with_role(role):
        made = admin.http.post(admin.url("/tokens"), json={"name": role, "role": role}).json()
        return Caller(server.base_url, admin.org, made["token"])

    made = admin.http.post("/v1/organizations", json={"name": "other"}).json()
    other = Caller(server.base_url, made["id"], made["token"])
    folder = admin.http.get(admin.url("/repos")).json()["items"][0]["path"]
    store = server._server._services.store
    with ThreadPoolExecutor(1) as thread:  # beside a browser's driver, which keeps a loop in this one
        thread.submit(asyncio.run, store.repos.add(other.org, path=folder, name="other")).result()
    return Place(server, admin, with_role("MEMBER"), with_role("READ_ONLY"), other, Caller(server.base_url, 1, ""))


@contextmanager
def running(data_dir, *, more_engines=(), front=None, **settings):
    chosen = Engines([*engines(), *more_engines])
    with Embedded(settings_for(data_dir, **settings), engines=chosen, front=front) as server:
        place = open_place(server)
        try:
            yield place
            for caller in (place.admin, place.other):
                caller.stop_all()
        finally:
            for caller in place.callers:
                caller.http.close()
