"""How the analyst works: its journal, being taken up again, being stopped, and many runs at once."""

import asyncio
import threading

import pytest

from contexten.engines import Engines, default_engines
from contexten.engines.analyst import AnalystEngine, codebase_for, indexes
from contexten.errors import EngineError
from contexten.protocol import RunStatus
from contexten.settings import ServerSettings
from shop_project import SHOP, Journal, make_project, task

pytestmark = pytest.mark.anyio

PROMPT = "Who calls refund_order, and is it retried?"


class StoppingJournal(Journal):
    """Cancels whoever writes one entry, after it was written, as a process that dies there."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    async def add(self, entry, *, key):
        new = await super().add(entry, key=key)
        if key == self.at:
            self.at = None
            raise asyncio.CancelledError
        return new


async def test_the_journal_tells_plan_steps_and_answer(ask):
    journal = Journal()
    outcome = await ask(PROMPT, journal=journal)
    assert list(journal.written) == ["plan", "step-1", "step-2", "step-3", "answer"]
    plan, find, callers, read, answer = journal.written.values()
    assert plan.message_type == "PLAN_EVALUATION"
    assert plan.thought == "3 steps: find refund_order · list callers · read retry policy"
    assert [step["tool"] for step in plan.observation["steps"]] == ["find", "callers", "read"]
    assert (find.message_type, find.tool_name, find.tool_input) == ("ACTION", "find", {"name": "refund_order"})
    assert find.observation == "refund_order → shop/payments/refunds.py:12"
    assert callers.observation == "4 in 4 files"
    assert {each["path"] for each in callers.tool_output["references"]} >= {"shop/cli.py", "shop/orders.py"}
    assert read.observation == "shop/payments/refunds.py:12-20"
    assert (answer.message_type, answer.observation) == ("FINAL_ANSWER", outcome.result)
    assert answer.thought == outcome.summary


@pytest.mark.parametrize("at", ["plan", "step-1", "step-2", "step-3", "answer"])
async def test_a_turn_taken_up_again_doubles_nothing(engine, shop, at):
    whole, journal = Journal(), StoppingJournal(at)
    expected = await engine.run(task(shop, PROMPT), whole)
    with pytest.raises(asyncio.CancelledError):
        await engine.run(task(shop, PROMPT), journal)
    written = dict(journal.written)
    outcome = await engine.run(task(shop, PROMPT, attempt=2), journal)
    assert outcome == expected
    assert journal.written == whole.written
    assert all(journal.written[key] is entry for key, entry in written.items())


async def test_steps_that_were_done_are_not_done_again(engine, shop):
    journal = StoppingJournal("step-2")
    with pytest.raises(asyncio.CancelledError):
        await engine.run(task(shop, PROMPT), journal)
    (shop / "shop/cli.py").unlink()
    outcome = await engine.run(task(shop, PROMPT, attempt=2), journal)
    assert "shop/cli.py:17" in outcome.result


async def test_a_change_between_runs_is_seen(ask, shop):
    assert "3 lines" not in (await ask("where is refund_late defined?")).result
    (shop / "shop/late.py").write_text("\ndef refund_late():\n    return refund_order\n")
    assert "shop/late.py:2" in (await ask("where is refund_late defined?")).result
    (shop / "shop/late.py").unlink()
    assert "Nothing named `refund_late`" in (await ask("where is refund_late defined?")).result


async def test_many_runs_on_one_folder_build_one_index(engine, shop, monkeypatch):
    built, build = [], indexes.Codebase.from_path
    monkeypatch.setattr(
        indexes.Codebase, "from_path", lambda folder, **more: built.append(folder) or build(folder, **more)
    )
    runs = [engine.run(task(shop, PROMPT, run_id=number), Journal()) for number in range(50)]
    outcomes = await asyncio.gather(*runs)
    assert {outcome.status for outcome in outcomes} == {RunStatus.COMPLETE}
    assert len({outcome.result for outcome in outcomes}) == 1
    assert built == [shop.resolve()]


async def test_the_banner_and_the_runs_share_an_index(engine, shop, tmp_path):
    codebase = await asyncio.to_thread(codebase_for, shop, tmp_path / "cache")
    await engine.run(task(shop, PROMPT), Journal())
    assert await asyncio.to_thread(codebase_for, shop) is codebase


def test_an_index_that_cannot_be_built_is_tried_again(tmp_path):
    kept, folder = indexes.Indexes(), tmp_path / "later"
    with pytest.raises(Exception, match="no folder"):
        kept.get(folder, tmp_path / "cache")
    make_project(folder, {"a.py": "x = 1\n"})
    assert [file.path for file in kept.get(folder, tmp_path / "cache").files] == ["a.py"]


def test_few_indexes_are_kept(tmp_path):
    kept = indexes.Indexes()
    folders = [make_project(tmp_path / f"p{number}", {"a.py": "x = 1\n"}) for number in range(indexes.MAX_KEPT + 1)]
    first = kept.get(folders[0], tmp_path / "cache")
    newest = [kept.get(folder, tmp_path / "cache") for folder in folders[1:]]
    assert kept.get(folders[-1]) is newest[-1]
    assert kept.get(folders[0], tmp_path / "cache") is not first


async def test_a_cancelled_run_stops_at_once_and_harms_no_other(engine, shop, monkeypatch):
    started, go_on, build = threading.Event(), threading.Event(), indexes.Codebase.from_path

    def slowly(folder, **more):
        started.set()
        assert go_on.wait(150)
        return build(folder, **more)

    monkeypatch.setattr(indexes.Codebase, "from_path", slowly)
    cancelled = asyncio.create_task(engine.run(task(shop, PROMPT), Journal()))
    other = asyncio.create_task(engine.run(task(shop, PROMPT), Journal()))
    assert await asyncio.to_thread(started.wait, 150)
    cancelled.cancel()
    done, _ = await asyncio.wait({cancelled}, timeout=60)
    assert done
    assert cancelled.cancelled()
    go_on.set()
    assert (await other).status is RunStatus.COMPLETE


async def test_a_folder_that_is_gone_is_an_engine_error(engine, tmp_path):
    with pytest.raises(EngineError, match=r"gone cannot be read: There is no folder"):
        await engine.run(task(tmp_path / "gone", PROMPT), Journal())


async def test_nothing_is_written_into_the_repository(engine, shop):
    before = sorted((path, path.stat().st_mtime_ns) for path in shop.rglob("*"))
    await engine.run(task(shop, "overview. What changed recently? Who calls refund_order?"), Journal())
    assert sorted((path, path.stat().st_mtime_ns) for path in shop.rglob("*")) == before


def test_it_comes_with_contexten_and_is_ready(tmp_path):
    engines = default_engines(ServerSettings(_env_file=None, CONTEXTEN_CACHE_DIR=tmp_path))
    assert isinstance(engines, Engines)
    analyst = engines.get("analyst")
    assert isinstance(analyst, AnalystEngine)
    assert analyst.availability().ready
    assert analyst.availability().detail


def test_the_shop_is_sound():
    for path, text in SHOP.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
