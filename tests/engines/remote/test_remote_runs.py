"""Runs that another server does: handed over once, mirrored once, whatever happens in between."""

import asyncio

import pytest
from pydantic import SecretStr

from contexten.engines import Usage
from contexten.engines.base import Earlier
from contexten.engines.remote import RemoteEngine
from contexten.engines.remote.destination import MARK, SELF
from contexten.errors import EngineError, EngineUnavailableError
from contexten.protocol import RunStatus
from engines.programs.fake_agents import until
from engines.remote.other_server import CHANGES
from fault_proxy import Lose, Proxy

pytestmark = pytest.mark.anyio


class CrashError(Exception):
    """The server's process ends here."""


async def test_what_happens_there_is_seen_here(here):
    outcome = await here.run("say hello")
    assert (outcome.status, outcome.result, outcome.summary) == (RunStatus.COMPLETE, "hello", "said hello")
    assert here.thoughts[2:] == ["one", "two", "hello"]
    assert here.journal.tools == ["look", "look"]


async def test_entries_come_while_the_run_goes_on(here):
    run = asyncio.create_task(here.run("wait"))
    await until(lambda: "one" in here.thoughts)
    assert not run.done()
    here.there.engine.gate.set()
    assert (await run).status == RunStatus.COMPLETE


async def test_a_later_turn_goes_on_with_the_run_there(here):
    await here.run("say first")
    first = here.run_id
    here.journal.next_turn()
    outcome = await here.run("say second", turn=2)
    assert (here.run_id, here.there.read(first)["turn"], outcome.result) == (first, 2, "second")
    assert here.thoughts[2:] == ["one", "two", "second"]


async def test_each_turn_counts_what_it_consumed_and_shows_what_was_changed(here):
    first = await here.run("change it")
    here.journal.next_turn()
    second = await here.run("say more", turn=2)
    assert first.usage == second.usage == Usage(100, 10, 0.25)
    assert first.changes == CHANGES


async def test_a_failure_there_is_told_once(here):
    outcome = await here.run("fail no such thing")
    assert (outcome.status, outcome.result) == (RunStatus.FAILED, "no such thing")
    assert here.thoughts[2:] == ["one"]  # the queue here writes the failure


@pytest.mark.parametrize("key", ["intent", "remote", "remote-2"])
async def test_a_crash_at_any_note_makes_no_second_run_and_no_second_entry(here, key):
    before = len(here.there.runs)
    add = here.journal.add

    async def crash(entry, *, key_wanted=key, **more):
        written = await add(entry, **more)
        if more["key"] == key_wanted:
            raise CrashError
        return written

    here.journal.add = crash
    with pytest.raises(CrashError):
        await here.run("say hello")
    here.journal.add = add
    outcome = await here.run("say hello", attempt=2)
    assert outcome.result == "hello"
    assert len(here.there.runs) == before + 1
    assert here.thoughts[2:] == ["one", "two", "hello"]


async def test_a_crash_after_the_answer_and_before_the_note(here):
    before = len(here.there.runs)
    add = here.journal.add

    async def crash(entry, *, key):
        if key == "remote":
            raise CrashError
        return await add(entry, key=key)

    here.journal.add = crash
    with pytest.raises(CrashError):
        await here.run("say hello")
    assert len(here.there.runs) == before + 1
    here.journal.add = add
    assert (await here.run("say hello", attempt=2)).result == "hello"
    assert len(here.there.runs) == before + 1


async def test_a_crash_in_a_resume_resumes_once(here):
    await here.run("say first")
    here.journal.next_turn()
    add = here.journal.add

    async def crash(entry, *, key):
        if key == "remote":
            raise CrashError
        return await add(entry, key=key)

    here.journal.add = crash
    with pytest.raises(CrashError):
        await here.run("say second", turn=2)
    here.journal.add = add
    outcome = await here.run("say second", turn=2, attempt=2)
    assert (outcome.result, here.there.read(here.run_id)["turn"]) == ("second", 2)
    assert here.thoughts[2:] == ["one", "two", "second"]


@pytest.mark.parametrize(("over", "status"), [(True, "CANCELLED"), (False, "RUNNING")])
async def test_a_cancel_ends_the_run_there_and_a_stop_of_this_server_does_not(here, over, status):
    run = asyncio.create_task(here.run("wait for ever"))
    await until(lambda: "one" in here.thoughts)
    here.journal.over = over
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    here.there.until(here.run_id, lambda run: run["status"] == status)
    here.there.stop(here.run_id)


async def test_an_answer_that_is_lost_makes_no_second_run(here):
    before = len(here.there.runs)
    with Proxy(here.there.place.server.base_url, [Lose()]) as proxy:
        settings = here.there.settings(
            here.folder, CONTEXTEN_REMOTE_BASE_URL=proxy.base_url, CONTEXTEN_REMOTE_REPO_ID=1
        )
        assert (await here.run("say hello", RemoteEngine(settings))).result == "hello"
        assert b"/agent/run " in proxy.requests[0]
    assert len(here.there.runs) == before + 1


@pytest.mark.parametrize("via", [[SELF], ["a", "b", "c", "d"]])
async def test_a_run_that_goes_in_a_circle_is_refused(here, via):
    before = len(here.there.runs)
    with pytest.raises(EngineUnavailableError, match="circle"):
        await here.run("say hello", metadata={MARK: {"via": via}})
    assert len(here.there.runs) == before


async def test_a_run_says_who_handed_it_on_and_keeps_its_metadata(here):
    await here.run("say hello", metadata={"mode": "fix", MARK: {"via": ["other", 3]}})
    metadata = here.there.read(here.run_id)["metadata"]
    assert (metadata["mode"], metadata[MARK]["via"]) == ("fix", ["other", SELF])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"CONTEXTEN_REMOTE_BASE_URL": None}, "needs CONTEXTEN_REMOTE_BASE_URL"),
        ({"CONTEXTEN_REMOTE_TOKEN": None}, "needs CONTEXTEN_REMOTE_TOKEN"),
        ({"CONTEXTEN_REMOTE_BASE_URL": "ftp://host"}, "https://host"),
        (
            {"CONTEXTEN_PUBLIC_URL": "https://me.example:443/", "CONTEXTEN_REMOTE_BASE_URL": "https://me.example/v1"},
            "itself",
        ),
    ],
)
async def test_a_destination_that_cannot_be_one(here, settings, words):
    engine = RemoteEngine(here.there.settings(here.folder, **settings))
    assert not engine.availability().ready
    assert words in engine.availability().detail
    with pytest.raises(EngineUnavailableError, match="engine remote"):
        await here.run("say hello", engine)


async def test_the_server_that_holds_the_data_folder_is_not_its_own_remote(here):
    address = here.there.place.server.base_url.replace("127.0.0.1", "localhost")
    folder = here.there.place.server._server._services.settings.data_dir
    settings = here.there.settings(here.folder, CONTEXTEN_DATA_DIR=folder, CONTEXTEN_REMOTE_BASE_URL=address)
    assert "this server itself" in RemoteEngine(settings).availability().detail


async def test_a_token_that_is_refused_is_not_shown(here):
    engine = RemoteEngine(here.there.settings(here.folder, CONTEXTEN_REMOTE_TOKEN=SecretStr("ctx_not-one")))
    with pytest.raises(EngineError) as refused:
        await here.run("say hello", engine)
    assert "ctx_not-one" not in str(refused.value)
    assert "ctx_not-one" not in repr(engine._settings)


async def test_what_runs_here_have_changed_is_not_there(here):
    before = len(here.there.runs)
    with pytest.raises(EngineError, match="builds on what run 7 changed"):
        await here.run("say hello", builds_on=(Earlier(7, CHANGES),))
    assert len(here.there.runs) == before
    await here.run("say hello", metadata={"builds_on": [7]})  # which changed nothing
    assert "builds_on" not in here.there.read(here.run_id)["metadata"]


async def test_a_repository_that_is_not_there(here):
    before = len(here.there.runs)
    with pytest.raises(EngineError, match="no repository named 'other'"):
        await here.run("say hello", repo_name="other")
    assert len(here.there.runs) == before
    engine = RemoteEngine(here.there.settings(here.folder, CONTEXTEN_REMOTE_REPO_ID=1))
    assert (await here.run("say hello", engine, repo_name="other")).result == "hello"


async def test_the_organization_is_asked_for_and_never_the_one_of_this_machine(here, monkeypatch):
    monkeypatch.setenv("CODEGEN_ORG_ID", "99")
    engine = RemoteEngine(here.there.settings(here.folder, CONTEXTEN_REMOTE_ORG_ID=None))
    assert (await here.run("say hello", engine)).result == "hello"


async def test_a_server_that_is_away_fails_the_run(here):
    engine = RemoteEngine(here.there.settings(here.folder, CONTEXTEN_REMOTE_BASE_URL="http://127.0.0.1:1"))
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1"):
        await here.run("say hello", engine)
