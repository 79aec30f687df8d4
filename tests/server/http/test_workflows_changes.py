"""Tasks of a workflow that change code: each begins with what those before it changed."""

import asyncio
import time

from contexten.engines import Availability, Outcome
from contexten.engines.checkout import open_checkout
from contexten.engines.workspace import CHECKOUTS
from contexten.protocol import RunStatus


class Writing:
    """Says which files it finds, and writes the one that its prompt names."""

    name = "writing"
    concurrency = None
    uses_model = False

    def __init__(self, home):
        self.home = home

    def availability(self):
        return Availability(ready=True)

    async def run(self, task, journal):
        checkout = await open_checkout(task, self.home)
        found = sorted(path.name for path in checkout.root.glob("*.txt"))
        (checkout.root / task.prompt).write_text("written\n")
        changes = await asyncio.to_thread(checkout.changes)
        return Outcome(RunStatus.COMPLETE, " ".join(found), changes=changes)


def test_a_task_finds_what_those_before_it_changed_and_its_changes_are_its_own(start, tmp_path):
    project = tmp_path / "shop"
    project.mkdir()
    (project / "old.txt").write_text("old\n")
    engine = Writing(tmp_path / "data" / CHECKOUTS)
    before = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    tasks = [
        {"id": name, "role": "testing", "prompt": f"{name}.txt", "dependencies": others, "engine": "writing"}
        for name, others in before.items()
    ]
    with start(more_engines=[engine], CONTEXTEN_REPO=project) as place:
        caller = place.admin
        made = caller.http.post(caller.url("/workflows"), json={"id": "w", "name": "W", "tasks": tasks}).json()
        deadline = time.monotonic() + 150
        while (flow := caller.http.get(caller.url(f"/workflows/{made['id']}?results=true")).json())[
            "finished_at"
        ] is None:
            assert time.monotonic() < deadline, flow
            time.sleep(0.05)
        assert [task["reason"] for task in flow["tasks"]] == [None] * 4
        found = {task["id"]: task["result"].split() for task in flow["tasks"]}
        diffs = [caller.http.get(caller.url(f"/agent/run/{task['run_id']}/diff")).json() for task in flow["tasks"]]
    assert found["a"] == ["old.txt"]
    assert found["b"] == found["c"] == ["a.txt", "old.txt"]
    assert found["d"] == ["a.txt", "b.txt", "c.txt", "old.txt"]
    assert [[file["path"] for file in diff["files"]] for diff in diffs] == [["a.txt"], ["b.txt"], ["c.txt"], ["d.txt"]]
    assert [path.name for path in project.iterdir()] == ["old.txt"]
