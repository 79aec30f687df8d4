import asyncio
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from contexten.errors import SettingsError, UsageError
from contexten.server.queue import Queue
from contexten.server.store.worker_claim import WorkerClaim
from server.queue.conftest import QUICK
from server.queue.patience import until

pytestmark = pytest.mark.anyio
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)


async def test_a_run_is_done_and_its_end_is_kept(place):
    run = await place.ended(await place.create("noop", "say hello"))
    assert (run.status, run.result, run.summary) == ("COMPLETE", "did say hello", "nothing")
    assert (run.input_tokens, run.output_tokens, run.cost_usd) == (1, 2, 0.5)
    assert await place.statuses(run.id) == ["PENDING", "RUNNING", "COMPLETE"]


@on_sqlite
async def test_the_task_says_where_to_work_and_what_was_said_before(place):
    run_id = await place.create("noop", "one", metadata={"mode": "plan"}, model="test:model")
    await place.ended(run_id)
    await place.store.runs.resume(place.organization_id, run_id, "two")
    place.queue.wake()
    await until(lambda: len(place.noop.tasks) == 2)
    first, second = place.noop.tasks
    assert (first.workspace, first.repo_name, first.model) == (place.repo, "shop", "test:model")
    assert (first.prompt, first.history, first.attempt, first.metadata) == ("one", (), 1, {"mode": "plan"})
    assert (second.prompt, second.turn) == ("two", 2)
    assert [(turn.prompt, turn.result, turn.status) for turn in second.history] == [("one", "did one", "COMPLETE")]


async def test_a_turn_that_nobody_rang_for_is_found(place):
    place.queue.wake = lambda: None
    assert (await place.ended(await place.create("noop"))).status == "COMPLETE"


@on_sqlite
async def test_wake_may_be_called_from_any_thread_and_before_the_start(place):
    run_id = await place.create("noop")
    await asyncio.to_thread(place.queue.wake)
    await place.ended(run_id)
    Queue(place.settings, place.store, place.engines).wake()


@on_sqlite
async def test_no_more_runs_at_a_time_than_the_engine_allows(place):
    runs = [await place.create("waiting") for _ in range(5)]
    await until(lambda: place.waiting.running == 2)
    place.waiting.released.set()
    for run_id in runs:
        assert (await place.ended(run_id)).status == "COMPLETE"
    assert place.waiting.most == 2


@on_sqlite
async def test_runs_of_one_engine_do_not_wait_for_those_of_another(place):
    for _ in range(3):
        await place.create("waiting")
    assert (await place.ended(await place.create("noop"))).status == "COMPLETE"


async def test_a_cancelled_run_stops_at_once_and_gives_its_slot_back(place):
    runs = [await place.create("waiting") for _ in range(3)]
    await until(lambda: place.waiting.running == 2)
    await place.cancel(runs[0])
    await until(lambda: len(place.waiting.tasks) == 3)
    assert place.waiting.cancelled == 1
    assert await place.statuses(runs[0]) == ["PENDING", "RUNNING", "CANCELLED"]


async def test_a_run_that_waits_for_a_slot_is_cancelled_without_being_begun(place):
    runs = [await place.create("waiting") for _ in range(3)]
    await until(lambda: place.waiting.running == 2)
    await place.cancel(runs[2])
    place.waiting.released.set()
    await place.ended(runs[0])
    await place.ended(runs[1])
    assert await place.statuses(runs[2]) == ["PENDING", "CANCELLED"]
    assert len(place.waiting.tasks) == 2


async def test_a_cancel_that_another_process_wrote_is_noticed(place):
    run_id = await place.create("waiting")
    await until(lambda: place.waiting.running == 1)
    await place.store.runs.cancel(place.organization_id, run_id)
    await until(lambda: place.waiting.running == 0)
    assert place.waiting.cancelled == 1
    assert place.waiting.journals[0].over


async def test_a_run_is_resumed_while_its_cancelled_turn_still_ends(place):
    run_id = await place.create("stubborn")
    await until(lambda: place.stubborn.running == 1)
    await place.cancel(run_id)
    await place.store.runs.resume(place.organization_id, run_id, "behave")
    place.queue.wake()
    assert (await place.ended(run_id)).status == "COMPLETE"
    assert await place.statuses(run_id) == ["PENDING", "RUNNING", "CANCELLED", "PENDING", "RUNNING", "COMPLETE"]


@on_sqlite
async def test_an_engine_that_will_not_stop_loses_its_slot_and_its_pen(place):
    run_id = await place.create("stubborn")
    await until(lambda: place.stubborn.running == 1)
    await place.cancel(run_id)
    assert (await place.ended(await place.create("stubborn", "behave"))).status == "COMPLETE"
    assert place.stubborn.running == 1, "it is abandoned, not gone"
    written = await place.log(run_id)
    with pytest.raises(asyncio.CancelledError):
        await place.stubborn.journals[0].entries()
    assert await place.log(run_id) == written
    assert await place.status(run_id) == "CANCELLED"


@on_sqlite
async def test_a_run_that_takes_too_long_ends_as_timeout_and_says_so(place):
    async def said():
        run = await place.ended(await place.create("waiting", timeout=0.2))
        assert run.status == "TIMEOUT"
        assert "not done after 0.2 s" in run.result
        return [entry.message_type for entry in await place.log(run.id)]

    while (log := await said()) == ["ERROR"]:  # this machine took longer than that to begin
        pass
    assert log == ["ACTION", "ERROR"]
    assert all(journal.over for journal in place.waiting.journals)


@on_sqlite
async def test_an_engine_that_works_on_a_thread_leaves_the_server_free(place):
    runs = [await place.create("blocking") for _ in range(4)]
    for _ in runs:
        await until(lambda: place.blocking.computing.acquire(blocking=False))
    assert (await place.ended(await place.create("noop"))).status == "COMPLETE", "others go on while all four compute"
    place.blocking.may_end.set()
    for run_id in runs:
        assert (await place.ended(run_id)).status == "COMPLETE"


async def test_a_restart_takes_up_what_was_left_and_counts_no_crash(place, caplog):
    run_id, behind = await place.create("waiting"), [await place.create("waiting") for _ in range(2)]
    await until(lambda: place.waiting.running == 2)
    for attempt in range(2, 6):
        await place.restart()
        assert await place.status(run_id) == "RUNNING"
        await until(
            lambda attempt=attempt: [t.attempt for t in place.waiting.tasks if t.run_id == run_id][-1] == attempt
        )
    place.waiting.released.set()
    for each in (run_id, *behind):
        assert (await place.ended(each)).status == "COMPLETE"
    assert not any(journal.over for journal in place.waiting.journals)
    assert [entry.thought for entry in await place.log(run_id)] == ["waiting"]
    assert [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"] == []


@on_sqlite
async def test_a_stop_waits_for_what_is_nearly_done(place):
    run_id = await place.create("stepping")
    await until(lambda: place.stepping.running == 1)
    await place.queue.stop(60)
    assert await place.status(run_id) == "COMPLETE"


async def test_a_stopped_queue_can_be_started_again_and_stopped_twice(place):
    await place.queue.stop(0)
    await place.queue.stop(0)
    run_id = await place.create("noop")
    await place.queue.start()
    assert (await place.ended(run_id)).status == "COMPLETE"


@on_sqlite
async def test_two_queues_in_one_process_are_refused_and_the_first_goes_on(place):
    with pytest.raises(UsageError, match="already runs a queue"):
        await Queue(place.settings, place.store, place.engines).start()
    assert (await place.ended(await place.create("noop"))).status == "COMPLETE"


async def test_a_worker_whose_turn_was_taken_over_stops_and_cannot_end_it(place):
    run_id = await place.create("waiting")
    await until(lambda: place.waiting.running == 1)
    taken = await place.store.runs.begin(run_id, 1)
    assert taken.attempt == 2
    await until(lambda: place.waiting.running == 0)
    assert not place.waiting.journals[0].over
    assert await place.status(run_id) == "RUNNING"
    late = await place.store.runs.finish(run_id, 1, status="COMPLETE", result="late", attempt=1)
    assert not late
    assert await place.store.runs.finish(run_id, 1, status="COMPLETE", result="in time", attempt=2)
    assert await place.statuses(run_id) == ["PENDING", "RUNNING", "COMPLETE"]


@on_postgresql
async def test_a_name_that_another_worker_has_is_refused(place):
    await place.queue.stop(0)
    other = WorkerClaim(place.store.url, place.settings.worker_id)
    await asyncio.to_thread(other.take, 0)
    with pytest.raises(SettingsError, match="CONTEXTEN_WORKER_ID"):
        await place.queue.start()
    await asyncio.to_thread(other.give_back)
    await place.queue.start()
    assert (await place.ended(await place.create("noop"))).status == "COMPLETE"


@on_postgresql
async def test_a_worker_that_lost_its_name_stops_and_says_so_once(place, caplog):
    run_id = await place.create("waiting")
    await until(lambda: place.waiting.running == 1)
    address, name = place.settings.database_url.get_secret_value(), place.settings.worker_id
    locks = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 2003792491 AND granted = %s"
    with psycopg.connect(address, autocommit=True) as other:
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as thief:
            taking = asyncio.create_task(thief.execute("SELECT pg_advisory_lock(2003792491, hashtext(%s))", [name]))
            await until(lambda: other.execute(locks, [False]).fetchone())
            other.execute("SELECT pg_terminate_backend(%s)", other.execute(locks, [True]).fetchone())
            await taking
            await until(lambda: place.queue.problem and place.waiting.running == 0)
            assert "lost its name" in place.queue.problem
            assert "CONTEXTEN_WORKER_ID" in place.queue.problem
            await place.queue.stop(0)
    assert await place.status(run_id) == "RUNNING"
    assert caplog.text.count("lost its name") == 1
    assert "Traceback" not in caplog.text
    await place.queue.start()
    assert place.queue.problem is None
    await until(lambda: place.waiting.running == 1)


@on_postgresql
async def test_a_worker_that_is_held_up_takes_nothing_over_from_itself(place, caplog):
    """Between its sign of life and its look for the dead any time may pass; here it counts as dead at once."""
    await place.queue.stop(0)
    place.queue = Queue(place.settings, place.store, place.engines, pace=replace(QUICK, dead_after=-1.0))
    await place.queue.start()
    await place.create("waiting")
    await until(lambda: place.waiting.running == 1)
    for _ in range(3):
        await place.store.workers.beat("another")
        await until(partial(forgotten, place, "another"))
    assert [task.attempt for task in place.waiting.tasks] == [1]
    assert place.waiting.cancelled == 0
    assert "silent" not in caplog.text


async def forgotten(place, worker_id):
    return worker_id not in await place.store.workers.dead(-1)


@on_postgresql
async def test_an_end_that_the_database_refuses_ends_the_run_with_that(place, caplog):
    with psycopg.connect(place.settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("ALTER TABLE runs ADD CONSTRAINT refuse CHECK (input_tokens = 0)")
    run = await place.ended(await place.create("noop"))
    assert run.status == "ERROR"
    assert "The store could not do this" in caplog.text


@on_postgresql
async def test_a_database_that_drops_every_connection_ends_no_run(place):
    runs = [await place.create("stepping") for _ in range(5)]
    await until(lambda: place.stepping.running == 5)
    address = place.settings.database_url.get_secret_value()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for run_id in runs:
        assert (await place.ended(run_id)).status == "COMPLETE"
        assert len(await place.log(run_id)) == 5
    other = WorkerClaim(place.store.url, place.settings.worker_id)
    await until(lambda: asyncio.to_thread(refused, other))


def refused(claim):
    try:
        claim.take(0)
    except SettingsError:
        return True
    claim.give_back()
    return False
