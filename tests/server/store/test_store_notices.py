"""Events that belong to no run's log: deleted runs and changed workflows, in the one sequence of event ids."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from contexten.protocol import NewLogEntry
from contexten.server.store import NewRun
from contexten.server.store.columns import now
from contexten.server.store.notices import KEPT
from contexten.server.store.tables import notices
from contexten.server.store.workflow_records import NewWorkflow, Step

pytestmark = pytest.mark.anyio


async def ended(store, people):
    run, _ = await store.runs.create(people.run())
    await store.runs.cancel(people.organization_id, run.id)
    return run.id


async def told(store, after=0, **where):
    return [event for _, event in await store.events.after(after, **where)]


def new_workflow(people):
    return NewWorkflow(people.organization_id, people.user_id, "w", "Weekly", {}, {}, "RUNNING")


async def test_a_deletion_is_told_after_all_that_happened_before(store, people):
    kept, gone = await ended(store, people), await ended(store, people)
    newest = await store.events.last_id()
    await store.runs.delete(people.organization_id, gone)
    assert await store.events.append(kept, 1, NewLogEntry(message_type="ACTION"), key="late")
    events = await told(store, newest)
    assert [(event.event, event.id, event.agent_run_id) for event in events] == [
        ("deleted", newest + 1, gone), ("log", newest + 2, kept),
    ]  # fmt: skip
    assert await store.events.last_id() == newest + 2
    assert events[0].created_at.endswith("Z")


async def test_pages_go_through_both_tables_in_the_order_of_ids(store, people):
    for _ in range(3):
        await ended(store, people)
        await store.runs.delete(people.organization_id, await ended(store, people))
    whole = await told(store)
    assert [event.event for event in whole].count("deleted") == 3
    assert [event.id for event in whole] == sorted(event.id for event in whole)
    read, after = [], 0
    while page := await told(store, after, limit=2, organization_id=people.organization_id):
        read += page
        after = page[-1].id
    assert read == whole


async def test_notices_are_of_one_organization_and_of_no_run(store, people):
    run_id = await ended(store, people)
    await store.runs.delete(people.organization_id, run_id)
    other, _ = await store.people.create_organization("other", people.user_id)
    assert await told(store, organization_id=other.id) == []
    assert await told(store, run_id=run_id) == []
    run, _ = await store.runs.create(NewRun(other.id, people.user_id, "p", "none"))
    assert {event.event for event in await told(store, run_id=run.id)} == {"log", "status"}


async def test_a_workflow_tells_when_it_is_created_changed_and_deleted(store, people):
    record, _ = await store.workflows.create(new_workflow(people))
    row = record.row
    news = {
        "change": "ended",
        "name": "Weekly",
        "status": "COMPLETE",
        "tasks": [{"id": "a", "status": "COMPLETE", "attempt": 1}],
    }
    await store.workflows.step(row.id, row.revision, Step({}, "RUNNING", ended=False))
    await store.workflows.step(row.id, row.revision + 1, Step({}, "COMPLETE", ended=True, news=news))
    await store.workflows.delete(people.organization_id, row.id)
    events = await told(store)
    assert [(event.change, event.status, event.workflow_id, event.name) for event in events] == [
        ("created", "RUNNING", row.id, "Weekly"), ("ended", "COMPLETE", row.id, "Weekly"),
        ("deleted", "COMPLETE", row.id, "Weekly"),
    ]  # fmt: skip
    assert [dict(task) for task in events[1].tasks] == [dict(events[1].tasks[0])]
    assert (events[1].tasks[0].id, events[1].tasks[0].attempt) == ("a", 1)


async def test_a_step_that_came_too_late_tells_nothing(store, people):
    record, _ = await store.workflows.create(new_workflow(people))
    late = Step(
        {}, "COMPLETE", ended=True, news={"change": "ended", "name": "Weekly", "status": "COMPLETE", "tasks": []}
    )
    assert await store.workflows.step(record.row.id, 7, late) is None
    assert [event.change for event in await told(store)] == ["created"]


async def test_commits_of_notices_are_announced(store, people):
    run_id = await ended(store, people)
    commits = []
    store.on_commit(commits.append)
    await store.runs.delete(people.organization_id, run_id)
    newest = await store.events.last_id()
    store.close()
    assert newest in commits


async def test_old_notices_are_forgotten_and_their_ids_do_not_come_back(store, people):
    first, second = await ended(store, people), await ended(store, people)
    await store.runs.delete(people.organization_id, first)
    old = now() - KEPT - timedelta(hours=1)
    await store._database.write(
        lambda transaction: transaction.connection.execute(update(notices).values(created_at=old))
    )
    newest = await store.events.last_id()
    await store.runs.delete(people.organization_id, second)
    assert [(event.id, event.agent_run_id) for event in await told(store) if event.event == "deleted"] == [
        (newest + 1, second)
    ]
