"""`kill -9` in the middle of a workflow: every task ends, and none is done again."""

import asyncio

import pytest
from workflow_program import EDGES

from contexten.protocol import Window, is_terminal
from contexten.server.store import Store
from contexten.settings import ServerSettings

pytestmark = pytest.mark.chaos


def check_each_task_was_one_run(environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = Store.open(ServerSettings(_env_file=None))

    async def read():
        flows, _ = await store.workflows.list(1, Window())
        runs, _ = await store.runs.list(1, Window())
        events = [event for run in runs for _, event in await store.events.after(0, run_id=run.id)]
        return flows, {run.metadata["task"]: run for run in runs}, len(runs), events

    try:
        flows, runs, count, events = asyncio.run(read())
    finally:
        store.close()
    assert [(flow.status, flow.states["l"]["status"]) for flow in flows] == [("COMPLETE", "COMPLETE")]
    assert (count, runs.keys()) == (12, EDGES.keys())
    for name, run in runs.items():
        mine = [event for event in events if event.agent_run_id == run.id]
        assert [event.status for event in mine if event.event == "status" and is_terminal(event.status)] == ["COMPLETE"]
        assert flows[0].states[name]["attempt"] == 1
        assert all(runs[before].finished_at <= run.created_at for before in EDGES[name])
        steps = [event.entry.thought.split(" by ")[0] for event in mine if event.event == "log" and event.entry.thought]
        assert steps == ["step 0", "step 1", "step 2"]


def test_a_workflow_survives_two_kills_of_the_server(start, tmp_path, monkeypatch):
    environment = {"CONTEXTEN_DATA_DIR": str(tmp_path / "data")}
    for seen in ("ended d", "ended h"):
        worker = start(environment, program="workflow_program.py")
        assert worker.wait_for(seen), worker.errors
        worker.kill()
    last = start(environment, program="workflow_program.py")
    assert last.wait_for("done"), last.errors
    assert (last.end(), last.errors) == (0, [])
    assert not any("ended a" in line or "ended d" in line for line in last.lines)
    check_each_task_was_one_run(environment, monkeypatch)


def test_another_worker_goes_on_with_the_workflow_of_one_that_died(postgresql_environment, start, monkeypatch):
    options = {"program": "workflow_program.py"}
    killed = start({**postgresql_environment, "CONTEXTEN_WORKER_ID": "killed"}, "--moment", 0.2, **options)
    assert killed.wait_for("started"), killed.errors
    other = start({**postgresql_environment, "CONTEXTEN_WORKER_ID": "other"}, "--moment", 0.2, **options)
    assert other.wait_for("started"), other.errors
    assert killed.wait_for("ended"), killed.errors
    killed.kill()
    assert other.wait_for("done"), other.errors
    other.end()
    check_each_task_was_one_run(postgresql_environment, monkeypatch)
