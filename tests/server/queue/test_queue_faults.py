import re
import resource
import shutil

import pytest

from contexten.engines.base import Engines, Outcome, Usage
from contexten.protocol import RunStatus
from server.queue.engines_at_work import Ending
from server.queue.patience import until

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("settings", ["sqlite"], indirect=True)]


async def test_what_an_engine_cannot_do_ends_as_failed_with_its_words(place):
    run = await place.ended(await place.create("misbehaving", "refuse"))
    assert (run.status, run.result) == ("FAILED", "It needs a model. Set one: export CONTEXTEN_MODEL=provider:name")
    assert [(entry.message_type, entry.thought) for entry in await place.log(run.id)] == [("ERROR", run.result)]


@pytest.mark.parametrize("manner", ["break", "exit", "cancel itself", "end nothing"])
async def test_a_fault_ends_as_error_with_an_id_and_its_details_only_in_the_servers_log(place, caplog, manner):
    run = await place.ended(await place.create("misbehaving", manner))
    assert run.status == "ERROR"
    error_id = re.search(r"as error ([0-9a-f]{12})\.$", run.result).group(1)
    assert error_id in caplog.text
    assert "hunter2" not in run.result + str(await place.log(run.id))
    assert ("hunter2" in caplog.text) == (manner == "break")
    assert (await place.ended(await place.create("misbehaving", "fine"))).status == "COMPLETE"


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (None, "not an Outcome but NoneType"),
        (Outcome("dancing", "x"), "the status 'dancing'"),
        (Outcome(RunStatus.COMPLETE, {"a": 1}), "not text"),
        (Outcome(RunStatus.FAILED, {"a": 1}), "not text"),
        (Outcome(RunStatus.COMPLETE, "x", summary=7), "not text"),
        (Outcome(RunStatus.COMPLETE, "x", usage=Usage(2**70)), "tokens, which is no count"),
        (Outcome(RunStatus.COMPLETE, "x", usage=Usage(0, -1)), "tokens, which is no count"),
        (Outcome(RunStatus.COMPLETE, "x", usage=Usage(1, 1, None)), "a cost of None"),
        (Outcome(RunStatus.COMPLETE, "x", usage=Usage(1, 1, float("nan"))), "a cost of nan"),
    ],
)
async def test_an_outcome_that_cannot_be_kept_ends_the_run_and_is_named_in_the_log(place, caplog, outcome, says):
    ending = Ending()
    ending.outcome = outcome
    await place.restart(Engines([ending]))
    run = await place.ended(await place.create("ending"))
    assert run.status == "ERROR"
    assert "Engine 'ending' ended with" in caplog.text
    assert says in caplog.text


async def test_a_status_is_kept_in_one_spelling(place):
    ending = Ending()
    ending.outcome = Outcome("completed", "x")
    await place.restart(Engines([ending]))
    run = await place.ended(await place.create("ending"))
    assert (run.status, run.result) == ("COMPLETE", "x")
    await place.cancel(run.id)
    assert await place.statuses(run.id) == ["PENDING", "RUNNING", "COMPLETE"]


async def test_a_folder_that_is_gone_is_named_with_what_to_do(place):
    shutil.rmtree(place.repo)
    run = await place.ended(await place.create("noop"))
    assert run.status == "FAILED"
    assert str(place.repo) in run.result
    assert "contexten repos add" in run.result
    assert place.noop.tasks == []


async def test_a_repository_that_was_removed_is_named_with_what_to_do(place):
    other = place.repo.with_name("other")
    other.mkdir()
    repository = await place.store.repos.add(place.organization_id, path=str(other), name="other")
    await place.store.repos.remove(place.organization_id, (await place.store.repos.first(place.organization_id)).id)
    await place.store.repos.remove(place.organization_id, repository.id)
    run = await place.ended(await place.create("noop"))
    assert (run.status, run.result) == (
        "FAILED",
        "There is no repository to work on. Register one: contexten repos add PATH",
    )


async def test_a_run_whose_engine_is_gone_after_a_restart_says_which_there_are(place):
    run_id = await place.create("waiting")
    await until(lambda: place.waiting.running == 1)
    await place.restart(Engines([place.noop]))
    run = await place.ended(run_id)
    assert (run.status, run.result) == ("FAILED", "There is no engine 'waiting' here any more. Engines here: noop.")


async def test_a_turn_that_ends_the_process_each_time_is_given_up(place):
    place.queue.wake = lambda: None
    await place.queue.stop(0)
    run_id = await place.create("noop")
    for _ in range(3):
        assert await place.store.runs.begin(run_id, 1) is not None
    await place.queue.start()
    run = await place.ended(run_id)
    assert run.status == "ERROR"
    assert "ended unexpectedly each of the 3 times" in run.result
    assert place.noop.tasks == []


async def test_the_queues_tables_can_be_lost(place):
    run_id = await place.create("waiting")
    await until(lambda: place.waiting.running == 1)
    await place.queue.stop(0)
    for path in place.store.path_beside("queue.sqlite").parent.glob("queue.sqlite*"):
        path.unlink()
    place.waiting.released.set()
    await place.queue.start()
    assert (await place.ended(run_id)).status == "COMPLETE"


async def test_a_full_disk_is_said_once_and_the_run_is_done_when_there_is_room(place, caplog):
    wake, place.queue.wake = place.queue.wake, lambda: None
    log = place.store.path_beside("queue.sqlite-wal")
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        run_id = await place.create("noop")
        wake()
        await until(lambda: "Runs wait for the store" in caplog.text)
        assert (
            place.queue.problem == "The store is unavailable: the disk failed or is full. Look at it: contexten doctor."
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (await place.ended(run_id)).status == "COMPLETE"
    assert caplog.text.count("Runs wait for the store") == 1
    await until(lambda: place.queue.problem is None)
    assert caplog.text.count("The store is back") == 1
    assert "Traceback" not in caplog.text
