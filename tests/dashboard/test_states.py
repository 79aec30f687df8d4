"""What the pages' states make of a real server's answers, and of its silence."""

import json
import socket
import time

import pytest

from contexten.client import AsyncCodegenClient
from contexten.dashboard.choices import Choices
from contexten.dashboard.live import News, portions
from contexten.dashboard.log import FOLLOWED, MOST, PART, Window
from contexten.dashboard.preferences import Preferences
from contexten.dashboard.run import Run
from contexten.dashboard.runs import Runs
from contexten.dashboard.starting import Starting
from contexten.dashboard.visit import Visit
from contexten.dashboard.workflows import OneWorkflow, Workflows
from contexten.protocol import LogEntry, LogEvent
from contexten.protocol.workflows import WorkflowDefinition


async def until(found, seconds=150):
    import anyio

    deadline = time.monotonic() + seconds
    while not (answer := await found()):
        assert time.monotonic() < deadline
        await anyio.sleep(0.05)
    return answer


def test_a_visitor_is_known_and_told_to_listen(look):
    async def happens(tab):
        visit = await tab.on(Visit, "enter")
        assert (visit.phase, visit.lost, visit.role) == ("here", "", "admin")
        assert visit.server == tab.client.base_url

    look(happens)


def test_a_session_that_has_ended_says_so_on_every_page(look):
    async def happens(tab):
        tab.seat.open_client = None
        for kind in (Runs, Run, Workflows, OneWorkflow, Choices):
            visit = await tab.state(Visit)
            visit.phase = "here"
            await tab.on(kind, "load")
            assert visit.phase == "signed_out", kind

    look(happens)


def test_a_token_that_is_not_known_ends_the_session(look, place):
    async def happens(tab):
        async with AsyncCodegenClient(token="ctx_wrong", base_url=place.admin.base_url, org_id=1) as stranger:
            tab.seat.open_client = stranger
            assert (await tab.on(Visit, "enter")).phase == "signed_out"

    look(happens)


def test_a_server_that_does_not_answer_is_named_until_it_does(look):
    unheard = socket.socket()
    unheard.bind(("127.0.0.1", 0))  # and nobody listens there
    address = f"http://127.0.0.1:{unheard.getsockname()[1]}"

    async def happens(tab):
        answering = tab.client
        async with AsyncCodegenClient(token="ctx_x", base_url=address, org_id=1, max_retries=0) as dead:
            tab.seat.open_client = dead
            await tab.on(Runs, "load")
            visit = await tab.state(Visit)
            assert address in visit.lost
            tab.seat.open_client = answering
            assert not (await tab.on(Runs, "load")).problem
            assert not visit.lost

    with unheard:
        look(happens)


def test_runs_are_filtered_searched_and_paged_so_that_pages_stay(look, place):
    for number in range(23):
        place.admin.finished(f"walrus number {number}")
    held = place.admin.create("walrus at work", engine="held")

    async def happens(tab):
        runs = await tab.on(Runs, "load")
        assert len(runs.cards) == 20
        assert runs.cards[0].prompt == "walrus at work"
        assert (runs.newer, runs.first_page) == ("", True)
        tab.at(runs.older)
        place.admin.finished("walrus that came later")
        second = [card.id for card in (await tab.on(Runs, "load")).cards]
        assert second[0] == held["id"] - 20
        assert runs.range_words.startswith("21 to ")
        tab.at("/?status=going")
        await until(lambda: _loads(tab, lambda cards: [card.word for card in cards] == ["running"]))
        assert runs.chosen
        tab.at("/?engine=held")
        assert [card.id for card in (await tab.on(Runs, "load")).cards] == [held["id"]]
        tab.at("/?q=walrus%20number%207&status=complete".replace("%20", " "))
        assert [card.prompt for card in (await tab.on(Runs, "load")).cards] == ["walrus number 7"]
        await tab.on(Runs, "look_for_status", "failed")
        assert tab.sent_to == ["/?status=failed&q=walrus+number+7"]
        tab.at("/?q=walrus&page=2")
        assert 3 <= len((await tab.on(Runs, "load")).cards) <= 20

    look(happens)


async def _loads(tab, fits):
    return fits((await tab.on(Runs, "load")).cards)


def test_a_run_is_cancelled_and_deleted_from_its_card(look, place):
    held = place.admin.create("to be stopped", engine="held")

    async def happens(tab):
        await tab.on(Runs, "load")
        runs = await tab.on(Runs, "delete", held["id"])
        assert "Cancel it" in runs.problem
        runs = await tab.on(Runs, "cancel", held["id"])
        assert runs.told == f"Run {held['id']} is cancelled."
        assert next(card for card in runs.cards if card.id == held["id"]).ended
        await tab.on(Runs, "ask_to_delete", held["id"])
        assert runs.asking == held["id"]
        await tab.on(Runs, "delete", held["id"])
        assert (runs.asking, runs.told) == (0, f"Run {held['id']} is deleted.")
        assert held["id"] not in {card.id for card in runs.cards}

    look(happens)


def test_a_reader_is_told_by_the_server_why_not(look, place):
    run = place.admin.finished("not for readers")

    async def happens(tab):
        runs = await tab.on(Runs, "delete", run["id"])
        assert "role" in runs.problem

    look(happens, caller=place.reader)


def test_what_is_wrong_with_a_form_stands_at_its_field(look):
    async def happens(tab):
        await tab.on(Choices, "load")
        starting = await tab.on(Starting, "start", {"prompt": "   "})
        assert starting.wrong == {"prompt": "What is to be done? The prompt is empty."}
        await tab.on(Starting, "start", {"prompt": "x" * 20_000})
        assert starting.wrong == {"prompt": "The prompt has 20000 bytes; this server accepts 10000."}
        await tab.on(Starting, "start", {"prompt": "x", "engine": "nope"})
        assert "There is no engine 'nope'" in starting.wrong["engine"]
        await tab.on(Starting, "start", {"prompt": "x", "repo_id": "999"})
        assert "999" in starting.problem
        await tab.on(Starting, "choose_engine", "held")
        assert starting.engine_note == "never ready"
        await tab.on(Starting, "begin")
        assert (starting.wrong, starting.problem, starting.busy) == ({}, "", False)
        assert not tab.sent_to

    look(happens)


def test_a_run_that_was_started_is_shown_with_its_log(look):
    async def happens(tab):
        await tab.on(Starting, "start", {"prompt": "**hello**", "engine": "echo", "model": "", "repo_id": ""})
        tab.at(tab.sent_to.pop())
        run = await until(lambda: _ended(tab))
        assert [row.kind for row in run.rows] == ["you", "tool", "answer"]
        assert run.rows[2].html == "<p><strong>hello</strong></p>\n"
        assert (run.card.word, run.prompt, run.changed) == ("complete", "**hello**", "")
        await tab.on(Run, "toggle", 1)
        assert run.rows[1].is_open
        await tab.on(Run, "resume", {"next": " "})
        assert run.wrong
        await tab.on(Run, "resume", {"next": "and again"})
        assert run.card.turn == 2
        await until(lambda: _ended(tab))
        assert [row.kind for row in run.rows] == ["you", "tool", "answer"] * 2
        await tab.on(Run, "delete")
        assert tab.sent_to == ["/"]
        await tab.on(Run, "load")
        assert "There is no run" in run.absent

    look(happens)


async def _ended(tab):
    run = await tab.on(Run, "load")
    return run if run.card.ended else None


def test_changes_are_shown_file_by_file(look, place):
    made = place.admin.finished(json.dumps({"new.py": "<b>\n" * 3}), engine="editing")

    async def happens(tab):
        tab.at(f"/runs/{made['id']}")
        run = await tab.on(Run, "load")
        assert run.changed == "1 file, +3 \u22120"
        assert run.files[0].html.count("&lt;b&gt;") == 3
        await tab.on(Run, "show", "changes")
        await tab.on(Run, "toggle_file", 0)
        assert (run.tab, run.files[0].html) == ("changes", "")
        await tab.on(Run, "toggle_file", 99)

    look(happens)


def test_news_reach_the_page_that_is_open(look, place):
    async def happens(tab):
        run = place.admin.create("news", engine="held")
        place.admin.until(run["id"], lambda run: run["log_count"] == 2)
        tab.at(f"/runs/{run['id']}")
        state = await tab.on(Run, "load")
        news = News()
        news.take(_event(run["id"], 99))
        await state._hear(news)
        assert state.rows[-1].text == "holding"
        await tab.on(Run, "hold")
        rows = list(state.rows)
        news = News()
        news.take(_event(run["id"], len(rows)))
        await state._hear(news)
        assert (state.rows, state.behind) == (rows, 1)
        place.admin.http.post("/v1/beta/organizations/1/agent/run/stop", json={"agent_run_id": run["id"]})
        await state._hear(News(runs={run["id"]}))
        assert (state.card.word, state.announced) == ("cancelled", f"Run {run['id']} is cancelled.")

    look(happens)


def _event(run_id, position):
    entry = LogEntry(agent_run_id=run_id, message_type="ACTION", thought=f"entry {position}")
    return LogEvent(id=position + 1, agent_run_id=run_id, turn=1, position=position, entry=entry)


def test_portions_tell_what_happens_and_end_when_nobody_looks(look, place):
    async def happens(tab):
        run_id, seen = 0, News()

        async def looks():
            return not (run_id in seen.runs and run_id in seen.logs)

        async for news in portions(tab.client, looks):
            if news.missed and not run_id:
                run_id = place.admin.create("watched")["id"]
            seen.runs |= news.runs
            seen.logs.update(news.logs)
        assert seen.logs[run_id][0].agent_run_id == run_id

    look(happens)


class Log:
    """A log of a length, as a client gives it."""

    def __init__(self, length):
        self.length = length

    async def get_agent_run_logs(self, run_id, *, skip=0, limit=100, reverse=False):
        from contexten.protocol import AgentRunWithLogs

        positions = range(self.length)[::-1] if reverse else range(self.length)
        entries = [LogEntry(agent_run_id=run_id, thought=str(position)) for position in positions[skip : skip + limit]]
        return AgentRunWithLogs(id=run_id, organization_id=1, logs=entries, total_logs=self.length)


def test_a_window_on_a_long_log_never_grows_beyond_what_a_page_can_show():
    import asyncio

    async def happens():
        log, window = Log(10_000), Window(1)
        await window.to_end(log)
        assert (window.first, window.end, window.total) == (10_000 - PART, 10_000, 10_000)
        for _ in range(10):
            await window.earlier(log)
        assert (window.first, len(window.rows)) == (10_000 - 11 * PART, MOST)
        assert not window.at_end
        while not window.at_end:
            await window.later(log)
        assert [int(row.text) for row in window.rows] == list(range(10_000 - MOST, 10_000))
        assert window.take([_event(1, 10_000)], follow=True)
        assert (window.end, len(window.rows)) == (10_001, FOLLOWED)
        assert not window.take([_event(1, 10_005)], follow=True)

    asyncio.run(happens())


def test_a_workflow_is_drawn_approved_and_deleted(look):
    document = {
        "id": "release",
        "name": "Release",
        "tasks": [
            {"id": "build", "role": "code_generation", "prompt": "build", "engine": "echo"},
            {
                "id": "ship",
                "role": "testing",
                "prompt": "ship",
                "engine": "echo",
                "dependencies": ["build"],
                "approval": True,
            },
        ],
    }

    async def happens(tab):
        made = await tab.client.create_workflow(WorkflowDefinition.model_validate(document))
        tab.at(f"/workflows/{made.id}")
        one = await until(lambda: _shows(tab, "waits for you"))
        ship = one.tasks[1]
        assert (ship.waits, ship.word) == (True, "waits for you")
        assert ship.left > one.tasks[0].left
        await tab.on(OneWorkflow, "approve", "ship", True)
        await until(lambda: _shows(tab, "complete"))
        assert one.line.percent == 100
        tab.at("/workflows")
        assert (await tab.on(Workflows, "load")).lines[0].figures == "2 of 2 done"
        await tab.on(OneWorkflow, "delete")
        assert tab.sent_to == ["/workflows"]
        tab.at(f"/workflows/{made.id}")
        assert (await tab.on(OneWorkflow, "load")).absent

    look(happens)


async def _shows(tab, word):
    one = await tab.on(OneWorkflow, "load")
    return one if one.line.word == word else None


def test_engines_and_repositories_are_what_the_server_has(look, tmp_path):
    (tmp_path / "shop").mkdir()

    async def happens(tab):
        choices = await tab.on(Choices, "load")
        assert {engine.name: engine.ready for engine in choices.engines} == {
            "echo": True,
            "held": False,
            "editing": True,
        }
        await tab.on(Choices, "add", {"location": "  "})
        assert choices.problem
        await tab.on(Choices, "add", {"location": "/nowhere/at/all"})
        assert "/nowhere/at/all" in choices.problem
        await tab.on(Choices, "add", {"location": str(tmp_path / "shop")})
        shop = next(place for place in choices.repositories if place.name == "shop")
        assert choices.told == "shop is there."
        await tab.on(Choices, "ask_to_remove", shop.id)
        await tab.on(Choices, "remove", shop.id)
        assert "shop" not in {place.name for place in choices.repositories}

    look(happens)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("CODEGEN_API_TOKEN", "CODEGEN_TOKEN", "CODEGEN_ORG_ID", "CODEGEN_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CONTEXTEN_DATA_DIR", str(tmp_path / "none"))
    return tmp_path


def test_settings_are_tried_and_then_written_for_the_owner_alone(look, place, folder):
    form = {"CODEGEN_API_TOKEN": place.admin.token, "CODEGEN_ORG_ID": "1", "CODEGEN_BASE_URL": place.admin.base_url}

    async def happens(tab):
        preferences = await tab.on(Preferences, "load")
        await tab.on(Preferences, "check", "CODEGEN_ORG_ID", "one")
        assert "number" in preferences.wrong["CODEGEN_ORG_ID"]
        await tab.on(Preferences, "save", {**form, "CODEGEN_ORG_ID": "one"})
        assert not (folder / ".env").exists()
        await tab.on(Preferences, "save", {**form, "CODEGEN_API_TOKEN": "ctx_of_nobody"})
        assert preferences.problem
        assert not (folder / ".env").exists()
        await tab.on(Preferences, "save", form)
        assert "Signed in as" in preferences.told
        assert (folder / ".env").stat().st_mode & 0o777 == 0o600
        await tab.on(Preferences, "load")
        assert (preferences.organization, preferences.has_token) == ("1", True)
        assert place.admin.token not in json.dumps(preferences.dict(), default=str)
        await tab.on(Preferences, "save", {**form, "CODEGEN_API_TOKEN": ""})
        assert place.admin.token in (folder / ".env").read_text()

    look(happens, standalone=True)


def test_a_hosted_server_shows_its_runs(look):
    from hosted_server import ORG, TOKEN, Hosted, served

    async def happens(tab):
        async with AsyncCodegenClient(token=TOKEN, base_url=address, org_id=ORG) as client:
            tab.seat.open_client = client
            await tab.on(Visit, "enter")
            await tab.on(Starting, "start", {"prompt": "hello"})
            assert (await tab.on(Runs, "load")).cards[0].word == "running"
            tab.at(tab.sent_to.pop())
            run = await tab.on(Run, "load")
            assert (run.card.id, run.problem, run.absent) == (int(run.router.url.path.split("/")[-1]), "", "")

    with served(Hosted().app) as address:
        look(happens)


def test_in_the_servers_process_nothing_is_written(look, folder):
    async def happens(tab):
        await tab.on(Preferences, "load")
        await tab.on(Preferences, "save", {"CODEGEN_ORG_ID": "1"})
        assert not (folder / ".env").exists()

    look(happens)
