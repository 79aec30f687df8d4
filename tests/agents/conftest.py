import asyncio

import pytest

from contexten.engines import Availability, Outcome
from contexten.errors import EngineError
from contexten.protocol import NewLogEntry, RunStatus
from running_server import running


class Planner:
    """Plans as many steps as the prompt's last word says, does them, and answers."""

    name = "planner"
    concurrency = None

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        steps = int(task.prompt.split()[-1])
        plan = {"steps": [{"tool": "look", "title": f"step {n}"} for n in range(steps)]}
        await journal.add(NewLogEntry(message_type="PLAN_EVALUATION", thought="a plan", observation=plan), key="plan")
        for n in range(steps):
            await journal.add(
                NewLogEntry(message_type="ACTION", tool_name="look", observation=f"saw {n}"), key=f"step-{n}"
            )
        await journal.add(NewLogEntry(message_type="FINAL_ANSWER", observation="done"), key="answer")
        return Outcome(RunStatus.COMPLETE, "done")


class Refusing:
    """Can do nothing."""

    name = "refusing"
    concurrency = None

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        raise EngineError("A model is needed.")


class Together:
    """Ends only when so many runs of it are under way as the prompt says: proves that they are at the same time."""

    name = "together"
    concurrency = 100

    def __init__(self):
        self.most = self.now = 0
        self.met = asyncio.Event()

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now == int(task.prompt):
            self.met.set()
        try:
            await self.met.wait()
        finally:
            self.now -= 1
        return Outcome(RunStatus.COMPLETE, task.prompt)


@pytest.fixture(scope="module")
def together():
    return Together()


@pytest.fixture(scope="module")
def place(tmp_path_factory, together):
    with running(tmp_path_factory.mktemp("agents"), more_engines=[Planner(), Refusing(), together]) as place:
        yield place


@pytest.fixture
def address(place):
    """The arguments that every agent takes first."""
    return {"token": place.admin.token, "org_id": 1, "base_url": place.server.base_url}
