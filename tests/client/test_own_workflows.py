"""Following workflows and hearing of deletions: by events of the organization, in both twins."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing, closing
from itertools import pairwise

import pytest

from contexten import AsyncCodegenClient, errors
from contexten.protocol import DeletedEvent, WorkflowEvent
from contexten.protocol.workflows import TaskStatus, WorkflowDefinition

TASKS = [
    {"id": "a", "role": "testing", "prompt": "one"},
    {"id": "b", "role": "testing", "prompt": "two", "dependencies": ["a"], "approval": True},
]
FLOW = WorkflowDefinition.model_validate({"id": "w", "name": "W", "roles": {"testing": ""}, "tasks": TASKS})


def twin_of(server):
    return AsyncCodegenClient(server.token, server.organization_id, server.base_url)


def standing(flow):
    return {task.id: (task.status, task.attempt) for task in flow.tasks}


def test_a_workflow_is_followed_through_its_approval_to_its_end(client):
    begun = client.create_workflow(FLOW)
    flows = []
    for flow in client.follow_workflow(begun.id):
        flows.append(flow)
        if flow.tasks[1].status is TaskStatus.WAITING:
            client.approve_workflow_task(flow.id, "b")
    assert flow.has_ended
    assert standing(flow) == {"a": ("COMPLETE", 1), "b": ("COMPLETE", 1)}
    assert all(before != after for before, after in pairwise(flows))
    assert list(client.follow_workflow(begun.id)) == [flow]


def test_the_twin_follows_too(server):
    async def main():
        async with twin_of(server) as twin:
            begun = await twin.create_workflow(FLOW)
            async for flow in twin.follow_workflow(begun.id):
                if flow.tasks[1].status is TaskStatus.WAITING:
                    await twin.approve_workflow_task(flow.id, "b", approved=False)
            return flow

    assert standing(asyncio.run(main())) == {"a": ("COMPLETE", 1), "b": ("SKIPPED", 0)}


def test_who_follows_what_is_not_there_or_goes_away_is_told(client):
    with pytest.raises(errors.NotFoundError, match="no workflow 4711"):
        next(iter(client.follow_workflow(4711)))
    flow = client.create_workflow(FLOW)
    with closing(client.follow_workflow(flow.id)) as flows:
        next(flows)
        client.cancel_workflow(flow.id)
        client.delete_workflow(flow.id)
        with pytest.raises(errors.NotFoundError, match=f"no workflow {flow.id}"):
            list(flows)


def test_events_tell_of_workflows_and_of_deleted_runs(client, server):
    flow = client.create_workflow(FLOW)
    client.cancel_workflow(flow.id)
    client.delete_workflow(flow.id)
    run = client.run("soon gone").wait(timeout=60)
    client.delete_agent_run(run.id)

    def is_the_last(event):
        return isinstance(event, DeletedEvent) and event.agent_run_id == run.id

    events = []
    with closing(client.events(after=0)) as watched:
        for event in watched:
            events.append(event)
            if is_the_last(event):
                break
    told = [event for event in events if isinstance(event, WorkflowEvent) and event.workflow_id == flow.id]
    changes = [event.change for event in told]
    assert (changes[0], changes[-2:], told[0].name) == ("created", ["ended", "deleted"], "W")
    assert ("a", "RUNNING", 1) in {(task.id, task.status, task.attempt) for event in told for task in event.tasks}
    assert [event.id for event in events] == sorted({event.id for event in events})
    assert not [event for event in events if getattr(event, "agent_run_id", None) == run.id and not is_the_last(event)]

    async def main():
        async with twin_of(server) as twin, aclosing(twin.events(after=0)) as watched:
            return await anext(event async for event in watched if is_the_last(event))

    assert asyncio.run(main()) == events[-1]


def test_a_follower_does_not_ask_while_nothing_happens(client):
    """It hears of a change: the questions it asks are as many as the changes, not as long as they take."""
    asked = []

    def count(request, send):
        asked.append(request.url.path)
        return send(request)

    flow = client.create_workflow(FLOW)
    waits = threading.Event()
    with type(client)(client.token, client.org_id, client.base_url, middleware=[count]) as watcher:

        def watch():
            for seen in watcher.follow_workflow(flow.id):
                if seen.tasks[1].status is TaskStatus.WAITING:
                    waits.set()

        thread = threading.Thread(target=watch)
        thread.start()
        assert waits.wait(60)
        client.approve_workflow_task(flow.id, "b")
        thread.join(60)
    assert not thread.is_alive()
    told = [path for path in asked if path.endswith(f"/workflows/{flow.id}")]
    assert 2 <= len(told) <= 10
