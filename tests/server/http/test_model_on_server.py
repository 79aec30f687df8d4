"""The engine `model` behind the whole server: asked for, followed, gone on with and stopped through the API."""

import asyncio
import threading

import pytest

from contexten import AsyncCodegenClient, CodegenClient
from contexten.engines.model import ModelEngine
from contexten.engines.model.limits import Limits
from contexten.engines.sandbox import Sandbox
from model_provider import KEY, Holds, Says, calls, finish, provider
from running_server import running
from shop_project import SHOP, commit_all, make_project

TEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        pass\n"
EDIT = ("edit", {"path": "shop/errors.py", "old": "There is none left.", "new": "Sold out."})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    shop = make_project(folder / "shop", SHOP)
    commit_all(shop, "Begin")
    engine = ModelEngine(None, folder / "data/checkouts", Sandbox(hidden=[folder / "data"]), Limits(retries=0))
    with running(folder, more_engines=[engine], CONTEXTEN_REPO=shop) as place:
        place.shop = shop
        yield place


@pytest.fixture
def says(monkeypatch):
    """Have the model answer from a script."""
    opened = []

    def answered(*script, forever=False):
        opened.append(provider(*script, forever=forever))
        scripted = opened[-1].__enter__()
        for name, value in scripted.environment().items():
            monkeypatch.setenv(name, value)
        return scripted

    yield answered
    for each in opened:
        each.__exit__(None, None, None)


def log_of(caller, run_id):
    return caller.http.get(f"/v1/alpha/organizations/{caller.org}/agent/run/{run_id}/logs").json()["logs"]


def test_a_run_is_done_kept_and_gone_on_with(place, says):
    scripted = says(
        calls(("find", {"name": "OutOfStockError"}), text="I look first."),
        calls(EDIT, ("write", {"path": "tests/test_new.py", "text": TEST}), ("run", {"command": "python3 -m unittest tests/test_new.py"})),
        finish("`shop/errors.py:17` says so now."),
        calls(("read", {"path": "shop/errors.py"})),
        finish("Still."),
    )  # fmt: skip
    run = place.admin.finished("Say sold out", engine="model", model="openai:gpt-5")
    assert (run["status"], run["result"]) == ("COMPLETE", "`shop/errors.py:17` says so now.")
    assert run["summary"] == "2 files, +7 \u22121 · tests 1 passed · $0.0067"
    assert (place.shop / "shop/errors.py").read_text() == SHOP["shop/errors.py"]
    log = log_of(place.admin, run["id"])
    assert [entry["tool_name"] for entry in log if entry["message_type"] == "ACTION"] == [
        "find",
        "edit",
        "write",
        "run",
    ]
    assert log[-1]["message_type"] == "FINAL_ANSWER"
    assert KEY not in str(log) + str(run)

    place.admin.http.post(
        place.admin.url("/agent/run/resume"), json={"agent_run_id": run["id"], "prompt": "Look again"}
    )
    again = place.admin.until(run["id"])
    assert (again["status"], again["result"]) == ("COMPLETE", "Still.")
    assert "Sold out." in scripted.told(-1)
    assert "says so now" in scripted.told(-1)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (None, "no model is set. Export CONTEXTEN_MODEL (for example openai:gpt-5 or ollama:qwen3) or pass --model."),
        (
            "gpt-5",
            "'gpt-5' names no provider and model. Write provider:name, for example openai:gpt-5 or ollama:qwen3.",
        ),
    ],
)
def test_a_run_that_cannot_begin_is_refused_when_it_is_asked_for(place, model, said):
    body = {"prompt": "hi", "engine": "model", "model": model}
    answer = place.admin.http.post(place.admin.url("/agent/run"), json=body)
    assert (answer.status_code, answer.json()["message"]) == (422, said)


def test_a_run_is_cancelled_while_the_model_thinks(place, says):
    held = Holds()
    scripted = says(calls(EDIT), held, Says("never said"))
    run = place.admin.create("Say sold out", engine="model", model="openai:gpt-5")
    assert held.reached.wait(150)
    place.admin.http.post(f"/v1/beta/organizations/{place.admin.org}/agent/run/stop", json={"agent_run_id": run["id"]})
    ended = place.admin.until(run["id"])
    held.let_go.set()
    assert ended["status"] == "CANCELLED"
    counted = place.admin.until(run["id"], lambda run: run["input_tokens"])  # what it had used up is not lost
    assert (counted["input_tokens"], counted["output_tokens"], counted["cost_usd"] > 0) == (1000, 100, True)
    assert len(scripted.requests) == 2
    assert [entry["tool_name"] for entry in log_of(place.admin, run["id"]) if entry["tool_name"]] == ["edit"]


def test_what_the_model_is_saying_is_seen_while_it_says_it_and_kept_once(place, says):
    said = "I look at the refunds first. Then at who calls them."
    caller = place.member
    options = {"engine": "model", "model": "openai:gpt-5"}

    def script():
        """Text that goes on once somebody watches, and once its first half was seen."""
        watched, seen = threading.Event(), threading.Event()
        says(Says(said, [("find", {"name": "refund_order"})], starts=watched, halfway=seen), finish())
        texts = []
        return watched, texts, lambda text: (texts.append(text), seen.set())

    def check(texts, entries, run):
        assert texts[0] == said[: len(said) // 2].strip()
        assert next(entry.thought for entry in entries if entry.message_type == "PLAN_EVALUATION") == said
        assert len([entry for entry in log_of(caller, run.id) if entry["thought"] == said]) == 2
        url = caller.url(f"/agent/run/{run.id}/events?kinds=partial&kinds=log")
        assert "event: partial" not in caller.http.get(url).text  # nothing has kept it

    async def asynchronously():
        async with AsyncCodegenClient(caller.token, caller.org, caller.base_url) as client:
            watched, texts, show = script()
            task, entries = await client.run("Look", **options), []
            async for entry in task.stream(show):
                watched.set()
                entries.append(entry)
            check(texts, entries, task)

    asyncio.run(asynchronously())
    with CodegenClient(caller.token, caller.org, caller.base_url) as client:
        watched, texts, show = script()
        task, entries = client.run("Look", **options), []
        for entry in task.stream(show):
            watched.set()
            entries.append(entry)
        check(texts, entries, task)
