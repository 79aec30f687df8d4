"""Workflows over the store and the queue, on both databases."""

import asyncio

import pytest

from contexten.protocol import Window
from contexten.server.store import NotThereError
from contexten.server.store.workflow_records import NewWorkflow
from contexten.server.workflows.advancer import Advancer
from contexten.workflows.definition import read_definition
from contexten.workflows.states import first_states, states_from_json, states_to_json
from server.queue.patience import until

pytestmark = pytest.mark.anyio
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def document(*tasks, **more):
    tasks = [{"role": "testing", "prompt": f"do {task['id']}", "engine": "noop", **task} for task in tasks]
    return read_definition({"id": "w", "name": "W", "tasks": tasks, **more})


DIAMOND = document(
    {"id": "a"},
    {"id": "b", "dependencies": ["a"], "prompt": "b after {{ results.a }}"},
    {"id": "c", "dependencies": ["a"]},
    {"id": "d", "dependencies": ["b", "c"]},
)


class Flows:
    """An advancer over a place, and short ways to use it."""

    def __init__(self, place):
        self.place, self.store = place, place.store
        self.advancer = self.another()

    def another(self):
        place = self.place
        return Advancer(place.settings, place.store, place.queue, place.engines, scan=0.2)

    async def start(self, definition, user_id=None):
        new = NewWorkflow(
            organization_id=self.place.organization_id, user_id=user_id or self.place.user_id,
            definition_id=definition.id, name=definition.name, definition=definition.model_dump(mode="json"),
            states=states_to_json(first_states(definition)), status="RUNNING",
        )  # fmt: skip
        record, _ = await self.store.workflows.create(new)
        self.advancer.wake()
        return record.row.id

    async def row(self, workflow_id):
        return (await self.store.workflows.find(workflow_id)).row

    async def states(self, workflow_id):
        return states_from_json((await self.row(workflow_id)).states)

    async def statuses(self, workflow_id):
        return {name: str(state.status) for name, state in (await self.states(workflow_id)).items()}

    async def ended(self, workflow_id):
        async def over():
            return (await self.row(workflow_id)).finished_at is not None

        await until(over)
        return await self.row(workflow_id)

    async def runs(self):
        """The runs of workflows, oldest first."""
        page, _ = await self.store.runs.list(self.place.organization_id, Window())
        return [run for run in reversed(page) if "workflow_id" in run.metadata]


@pytest.fixture
async def flows(place):
    flows = Flows(place)
    async with flows.advancer:
        yield flows


async def test_each_task_is_one_run_after_those_before_it(flows):
    workflow_id = await flows.start(DIAMOND)
    assert (await flows.ended(workflow_id)).status == "COMPLETE"
    runs = await flows.runs()
    assert [run.metadata["task"] for run in runs] == ["a", "b", "c", "d"]
    told = {run.metadata["task"]: run for run in runs}
    assert told["a"].metadata == {
        "workflow_id": workflow_id, "workflow": "W", "task": "a", "task_name": "a", "role": "testing", "attempt": 1,
        "builds_on": [],
    }  # fmt: skip
    assert "b after did You write and run tests" in told["b"].prompt
    assert told["d"].metadata["builds_on"] == [told[name].id for name in "abc"]
    assert told["d"].created_at >= max(told["b"].finished_at, told["c"].finished_at)


async def test_two_workers_that_advance_at_once_begin_each_task_once(flows):
    others = [flows.another() for _ in range(3)]
    workflow_id = await flows.start(document(*({"id": f"t{n}"} for n in range(8))))
    while (await flows.row(workflow_id)).finished_at is None:
        await asyncio.gather(*(each.advance(workflow_id) for each in [flows.advancer, *others]))
    runs = await flows.runs()
    assert sorted(run.metadata["task"] for run in runs) == sorted(f"t{n}" for n in range(8))


@on_sqlite
async def test_what_fails_is_tried_again_and_what_depends_on_it_is_skipped(flows):
    definition = document(
        {"id": "a", "engine": "misbehaving", "prompt": "refuse", "template": False, "retry": {"attempts": 2, "backoff": 0.05}},
        {"id": "b", "dependencies": ["a"]},
        {"id": "c"},
        roles={"testing": ""},
    )  # fmt: skip
    workflow_id = await flows.start(definition)
    assert (await flows.ended(workflow_id)).status == "FAILED"
    states = await flows.states(workflow_id)
    assert (states["a"].status, states["a"].attempt) == ("FAILED", 2)
    assert states["a"].reason.startswith("It needs a model.")
    assert (states["b"].status, states["b"].reason) == ("SKIPPED", "it needs 'a', which failed")
    assert (states["c"].status, states["c"].cost_usd) == ("COMPLETE", 0.5)


async def test_a_cancelled_workflow_stops_its_runs_and_is_gone_on_with(flows):
    definition = document({"id": "a"}, {"id": "b", "engine": "waiting", "dependencies": ["a"]})
    workflow_id = await flows.start(definition)
    await until(lambda: flows.place.waiting.running == 1)
    organization = flows.place.organization_id
    record = await flows.advancer.change(
        organization, workflow_id, lambda schedule, states, now: schedule.cancel(states, now), cancel=True
    )
    assert record.row.status == "CANCELLED"
    await until(lambda: flows.place.waiting.cancelled == 1)
    assert [run.status for run in await flows.runs()] == ["COMPLETE", "CANCELLED"]
    flows.place.waiting.released.set()
    await flows.advancer.change(organization, workflow_id, lambda schedule, states, _: schedule.retry(states))
    assert (await flows.ended(workflow_id)).status == "COMPLETE"
    assert [run.metadata["task"] for run in await flows.runs()] == ["a", "b", "b"]


@on_sqlite
async def test_a_worker_that_comes_up_goes_on_with_what_another_left(flows):
    """The end of a run is noted although nobody was there when it came, and although nobody tells of it."""
    definition = document({"id": "a", "engine": "waiting"}, {"id": "b", "dependencies": ["a"]})
    workflow_id = await flows.start(definition)
    await until(lambda: flows.place.waiting.running == 1)
    await flows.advancer.__aexit__(None, None, None)
    flows.place.waiting.released.set()
    (run,) = await flows.runs()
    await flows.place.ended(run.id)
    assert (await flows.row(workflow_id)).finished_at is None
    async with flows.another():
        await flows.ended(workflow_id)
    assert [run.metadata["task"] for run in await flows.runs()] == ["a", "b"]
    await flows.advancer.__aenter__()


@on_sqlite
async def test_a_run_that_cannot_be_made_is_a_task_that_failed(flows):
    repo = (await flows.store.repos.first(flows.place.organization_id)).id
    workflow_id = await flows.start(document({"id": "a", "repo_id": repo + 7}, {"id": "b", "dependencies": ["a"]}))
    assert (await flows.ended(workflow_id)).status == "FAILED"
    states = await flows.states(workflow_id)
    assert states["a"].reason.startswith(f"There is no repository {repo + 7}")
    assert states["b"].status == "SKIPPED"
    assert await flows.runs() == []


async def test_a_run_that_is_deleted_leaves_its_workflow_as_it_is(flows):
    workflow_id = await flows.start(DIAMOND)
    await flows.ended(workflow_id)
    organization = flows.place.organization_id
    await flows.store.runs.delete(organization, (await flows.runs())[0].id)
    attempts = await flows.store.workflows.attempts(workflow_id)
    assert [(each.task, each.run_id is None) for each in attempts] == [(name, name == "a") for name in "abcd"]
    await flows.advancer.change(organization, workflow_id, lambda schedule, states, _: schedule.retry(states, "b"))
    assert (await flows.ended(workflow_id)).status == "COMPLETE"
    again = (await flows.runs())[-2]
    assert "b after (nothing: its run was deleted)" in again.prompt


async def test_workflows_are_listed_newest_first_and_only_to_their_organization(flows):
    ids = [await flows.start(document({"id": "a"})) for _ in range(3)]
    rows, total = await flows.store.workflows.list(flows.place.organization_id, Window(skip=1, limit=1))
    assert ([row.id for row in rows], total) == ([ids[1]], 3)
    with pytest.raises(NotThereError, match=r"no workflow 99 in organization 1"):
        await flows.store.workflows.get(1, 99)
    with pytest.raises(NotThereError):
        await flows.store.workflows.get(2, ids[0])
    for workflow_id in ids:
        await flows.ended(workflow_id)
