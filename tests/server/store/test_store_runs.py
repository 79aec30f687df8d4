import asyncio

import pytest

from contexten.engines.base import Usage
from contexten.errors import UsageError
from contexten.protocol import NewLogEntry, Window
from contexten.server.store import IdempotencyConflictError, NotThereError, RunBusyError, RunRefusedError
from contexten.server.store.records import RunFilter

pytestmark = pytest.mark.anyio


async def statuses(store, run_id):
    return [event.status for _, event in await store.events.after(0, run_id=run_id) if event.event == "status"]


async def test_a_new_run_is_pending_and_says_what_was_asked(store, people):
    run, new = await store.runs.create(people.run("Where is X?", metadata={"ticket": 7}, model="openai:gpt-5"))
    assert new
    assert run == await store.runs.get(people.organization_id, run.id)
    assert (run.status, run.turn, run.log_count, run.metadata) == ("PENDING", 1, 1, {"ticket": 7})
    _, (entry,) = await store.events.logs(people.organization_id, run.id, Window())
    assert (entry.message_type, entry.observation) == ("USER_MESSAGE", "Where is X?")
    assert await statuses(store, run.id) == ["PENDING"]


async def test_ids_of_runs_count_from_one(store, people):
    assert [(await store.runs.create(people.run()))[0].id for _ in range(3)] == [1, 2, 3]


async def test_the_same_key_and_request_give_the_same_run(store, people):
    new = people.run(idempotency_key="k", request_digest="d")
    again = people.run(idempotency_key="k", request_digest="d", model="a:new-default")
    results = await asyncio.gather(*(store.runs.create(run) for run in [new, again] * 10))
    assert {run.id for run, _ in results} == {1}
    assert [created for _, created in results].count(True) == 1


async def test_the_same_key_for_another_request_is_refused(store, people):
    await store.runs.create(people.run(idempotency_key="k", request_digest="one"))
    with pytest.raises(IdempotencyConflictError, match="which made run 1"):
        await store.runs.create(people.run(idempotency_key="k", request_digest="two"))


async def test_an_idempotency_key_belongs_to_one_user(store, people):
    other = await store.people.add_user(people.organization_id, "other")
    first, _ = await store.runs.create(people.run(idempotency_key="k"))
    second, new = await store.runs.create(people.run(idempotency_key="k", user_id=other.id))
    assert new
    assert second.id != first.id


async def test_another_organizations_run_is_as_absent_as_none(store, people):
    organization, _ = await store.people.create_organization("other", people.user_id)
    run, _ = await store.runs.create(people.run())
    with pytest.raises(NotThereError, match=r"There is no run 1 in organization 2\. It has no runs yet\."):
        await store.runs.get(organization.id, run.id)
    with pytest.raises(NotThereError, match=r"There is no run 99 in organization 1\. The newest is 1\."):
        await store.runs.get(people.organization_id, 99)


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30, -(10**30)])
async def test_no_number_is_too_large_for_an_id(store, people, number):
    await store.runs.create(people.run())
    with pytest.raises(NotThereError):
        await store.runs.get(people.organization_id, number)
    with pytest.raises(NotThereError):
        await store.runs.get(number, 1)
    assert await store.runs.list(people.organization_id, Window(), RunFilter(user_id=number)) == ([], 0)
    assert len(await store.events.after(number)) == (2 if number <= 0 else 0)


async def test_a_run_needs_a_repository_of_its_organization(store, people):
    organization, _ = await store.people.create_organization("other", people.user_id)
    theirs = await store.repos.add(organization.id, path="/theirs", name="theirs")
    with pytest.raises(NotThereError, match="no repository"):
        await store.runs.create(people.run(repo_id=theirs.id))
    assert await store.runs.newest(people.organization_id) is None


async def test_a_run_needs_a_source(store, people):
    with pytest.raises(UsageError, match="source type"):
        await store.runs.create(people.run(source_type=""))


async def test_a_turn_is_taken_up_and_ends(store, people):
    run, _ = await store.runs.create(people.run(images=("data:image/png;base64,AA==",), timeout=2.5))
    turn = await store.runs.begin(run.id, 1)
    assert (turn.status, turn.attempt, turn.timeout, len(turn.images)) == ("RUNNING", 1, 2.5, 1)
    usage = Usage(input_tokens=10, output_tokens=5, cost_usd=0.25)
    assert await store.runs.finish(run.id, 1, status="COMPLETE", result="here", summary="found", usage=usage)
    ended = await store.runs.get(people.organization_id, run.id)
    assert (ended.status, ended.result, ended.summary) == ("COMPLETE", "here", "found")
    assert (ended.input_tokens, ended.output_tokens, ended.cost_usd) == (10, 5, 0.25)
    assert ended.created_at <= ended.started_at <= ended.finished_at
    assert await statuses(store, run.id) == ["PENDING", "RUNNING", "COMPLETE"]


async def test_a_turn_taken_up_again_counts_its_attempts_and_says_running_once(store, people):
    run, _ = await store.runs.create(people.run())
    await store.runs.begin(run.id, 1)
    assert (await store.runs.begin(run.id, 1)).attempt == 2
    assert await statuses(store, run.id) == ["PENDING", "RUNNING"]


async def test_only_the_newest_attempt_ends_a_turn(store, people):
    run, _ = await store.runs.create(people.run())
    ended, _ = await store.runs.create(people.run())
    await store.runs.cancel(people.organization_id, ended.id)
    for _ in range(2):
        await store.runs.begin(run.id, 1)
    assert await store.runs.attempts([(run.id, 1), (ended.id, 1), (77, 1)]) == {(run.id, 1): 2}
    assert not await store.runs.finish(run.id, 1, status="COMPLETE", result="stale", attempt=1)
    await store.runs.put_back(run.id, 1, 1)
    await store.runs.put_back(run.id, 1, 2)
    assert (await store.runs.begin(run.id, 1)).put_back == 1
    assert await store.runs.finish(run.id, 1, status="COMPLETE", result="done", attempt=3)


async def test_what_a_cancelled_attempt_used_up_counts_once_and_only_for_the_newest(store, people):
    run, _ = await store.runs.create(people.run())
    for _ in range(2):
        await store.runs.begin(run.id, 1)
    await store.runs.cancel(people.organization_id, run.id)
    await store.runs.spend(run.id, 1, 1, Usage(500, 50, 0.5))  # another one has taken over
    await store.runs.spend(run.id, 1, 2, Usage(100, 10, 0.25))
    await store.runs.spend(77, 1, 1, Usage(1, 1, 1.0))  # deleted meanwhile
    run = await store.runs.get(people.organization_id, run.id)
    assert (run.input_tokens, run.output_tokens, run.cost_usd, run.status) == (100, 10, 0.25, "CANCELLED")


async def test_what_is_not_there_is_neither_taken_up_nor_ended(store, people):
    run, _ = await store.runs.create(people.run())
    assert await store.runs.begin(run.id, 2) is None
    assert await store.runs.begin(77, 1) is None
    assert not await store.runs.finish(77, 1, status="COMPLETE", result=None)
    assert not await store.runs.finish(run.id, 2, status="COMPLETE", result=None)


async def test_of_a_cancel_and_a_finish_one_wins(store, people):
    runs = [(await store.runs.create(people.run()))[0] for _ in range(20)]
    for run in runs:
        cancel = store.runs.cancel(people.organization_id, run.id)
        finish = store.runs.finish(run.id, 1, status="COMPLETE", result="done")
        (shown, cancelled), finished = await asyncio.gather(cancel, finish)
        assert cancelled != finished
        now = await store.runs.get(people.organization_id, run.id)
        assert now.status == ("CANCELLED" if cancelled else "COMPLETE") == shown.status
        assert await statuses(store, run.id) == ["PENDING", now.status]


async def test_a_cancelled_turn_is_not_taken_up(store, people):
    run, _ = await store.runs.create(people.run())
    await store.runs.cancel(people.organization_id, run.id, status="STOPPED")
    assert await store.runs.begin(run.id, 1) is None
    assert (await store.runs.get(people.organization_id, run.id)).status == "STOPPED"


async def test_a_run_that_ended_goes_on_with_a_new_turn(store, people):
    run, _ = await store.runs.create(people.run("first", metadata={"a": 1}, timeout=9.0))
    await store.runs.finish(run.id, 1, status="COMPLETE", result="one", usage=Usage(input_tokens=1))
    again = await store.runs.resume(people.organization_id, run.id, "second")
    assert again == await store.runs.get(people.organization_id, run.id)
    assert (again.turn, again.status, again.prompt, again.result) == (2, "PENDING", "second", None)
    assert (again.metadata, again.log_count, again.input_tokens, again.finished_at) == ({"a": 1}, 2, 1, None)
    (first,) = await store.runs.history(run.id, 2)
    assert (first.prompt, first.result, first.status) == ("first", "one", "COMPLETE")
    assert (await store.runs.begin(run.id, 2)).timeout == 9.0
    assert not await store.runs.finish(run.id, 1, status="COMPLETE", result="late")
    assert await statuses(store, run.id) == ["PENDING", "COMPLETE", "PENDING", "RUNNING"]


async def test_a_run_that_goes_on_cannot_be_resumed(store, people):
    run, _ = await store.runs.create(people.run())
    with pytest.raises(RunBusyError, match="Run 1 is PENDING"):
        await store.runs.resume(people.organization_id, run.id, "more")


async def test_of_two_resumes_one_wins(store, people):
    run, _ = await store.runs.create(people.run())
    await store.runs.cancel(people.organization_id, run.id)
    both = (store.runs.resume(people.organization_id, run.id, prompt) for prompt in ("a", "b"))
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["RunBusyError", "RunRecord"]


async def test_a_ban_is_kept_and_taken_back(store, people):
    run, _ = await store.runs.create(people.run())
    assert (await store.runs.ban(people.organization_id, run.id, True)).banned
    assert (await store.runs.get(people.organization_id, run.id)).banned
    assert not (await store.runs.ban(people.organization_id, run.id, False)).banned
    with pytest.raises(NotThereError):
        await store.runs.ban(people.organization_id, 9, True)


async def test_of_a_ban_and_a_resume_one_wins(store, people):
    for _ in range(20):
        run, _ = await store.runs.create(people.run())
        await store.runs.cancel(people.organization_id, run.id)
        resume = store.runs.resume(people.organization_id, run.id, "more")
        ban = store.runs.ban(people.organization_id, run.id, True)
        resumed, banned = await asyncio.gather(resume, ban, return_exceptions=True)
        assert isinstance(resumed, RunRefusedError) == (banned.turn == 1)


async def test_the_queue_sees_each_turn_until_it_took_it(store, people):
    for _ in range(3):
        await store.runs.create(people.run())
    await store.runs.create(people.run(queued=False))
    await store.runs.cancel(people.organization_id, 2)
    assert await store.runs.unqueued() == [(1, 1, "analyst"), (3, 1, "analyst")]
    assert await store.runs.unqueued(limit=1) == [(1, 1, "analyst")]
    await store.runs.mark_queued([(1, 1)])
    await store.runs.mark_queued([])
    assert await store.runs.unqueued() == [(3, 1, "analyst")]
    await store.runs.begin(1, 1)
    assert await store.runs.unfinished() == [(1, 1, "analyst", "RUNNING"), (3, 1, "analyst", "PENDING")]
    assert await store.runs.active() == 3


async def test_a_reported_run_takes_the_status_that_is_reported(store, people):
    run, _ = await store.runs.create(people.run(queued=False))
    assert run.status == "ACTIVE"
    assert (await store.runs.set_status(people.organization_id, run.id, "completed", "done")).status == "COMPLETE"
    back = await store.runs.set_status(people.organization_id, run.id, "Thinking")
    assert (back.status, back.result, back.finished_at) == ("Thinking", "done", None)
    assert back == await store.runs.set_status(people.organization_id, run.id, "Thinking")
    assert await statuses(store, run.id) == ["ACTIVE", "COMPLETE", "Thinking"]
    with pytest.raises(RunRefusedError, match="reported by another program"):
        await store.runs.resume(people.organization_id, run.id, "more")


@pytest.mark.parametrize("stopped", ["CANCELLED", "STOPPED"])
async def test_a_reported_run_that_was_stopped_stays_so(store, people, stopped):
    run, _ = await store.runs.create(people.run(queued=False))
    ended, _ = await store.runs.cancel(people.organization_id, run.id, stopped)
    for status in ("RUNNING", "COMPLETE"):
        with pytest.raises(RunRefusedError, match=f"Run 1 is {stopped} and stays so"):
            await store.runs.set_status(people.organization_id, run.id, status)
    assert await store.runs.set_status(people.organization_id, run.id, stopped.lower()) == ended
    assert await store.runs.get(people.organization_id, run.id) == ended


async def test_the_status_of_an_engines_run_cannot_be_reported(store, people):
    run, _ = await store.runs.create(people.run())
    with pytest.raises(RunRefusedError, match="done by an engine"):
        await store.runs.set_status(people.organization_id, run.id, "COMPLETE")


async def test_the_newest_run_is_found_for_all_and_for_one(store, people):
    assert await store.runs.newest(people.organization_id) is None
    other = await store.people.add_user(people.organization_id, "other")
    mine, _ = await store.runs.create(people.run())
    theirs, _ = await store.runs.create(people.run(user_id=other.id))
    assert await store.runs.newest(people.organization_id) == theirs
    assert await store.runs.newest(people.organization_id, people.user_id) == mine


async def test_appending_to_a_run_shows_in_its_record(store, people):
    run, _ = await store.runs.create(people.run())
    await store.events.append(run.id, 1, NewLogEntry(message_type="ACTION"), key=None)
    assert (await store.runs.get(people.organization_id, run.id)).log_count == 2
