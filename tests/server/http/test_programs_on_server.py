"""The engines of installed programs behind the whole server: asked for, gone on with and stopped through the API."""

import os

import pytest

from engines.programs.fake_agents import Agents, is_alive
from running_server import running
from shop_project import commit_all, make_project

ENDS = """\
say({"type": "system", "subtype": "init", "session_id": "5f0c0b1e-7a09"})
if "wait" in given.decode():
    (place / "pid").write_text(str(os.getpid()))
    time.sleep(600)
Path("new.py").write_text("x = 1\\n")
say({"type": "result", "subtype": "success", "result": "Done.", "total_cost_usd": 0.25,
     "usage": {"input_tokens": 10, "output_tokens": 2}})
"""


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents")
    shop = make_project(folder / "shop", {"shop.py": "x = 1\n"})
    commit_all(shop, "Begin")
    agents = Agents(folder, shop)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{agents.bin}{os.pathsep}{os.environ['PATH']}")
        yield agents


@pytest.fixture(scope="module")
def place(agents):
    engine = agents.claude(ENDS)
    engine.data = agents.repository / "data"
    with running(agents.repository, more_engines=[engine], CONTEXTEN_MODEL="openai:gpt-5") as place:
        yield place


def test_a_run_and_its_resume(place, agents):
    run = place.admin.finished("Make it", engine="claude_code")
    assert (run["status"], run["model"], run["result"]) == ("COMPLETE", None, "Done.")
    place.admin.http.post(place.admin.url("/agent/run/resume"), json={"agent_run_id": run["id"], "prompt": "More"})
    again = place.admin.until(run["id"], lambda now: now["turn"] == 2 and now["status"] == "COMPLETE", seconds=150)
    assert again["cost_usd"] == 0.5
    assert agents.calls[-1]["arguments"][-2:] == ["--resume", "5f0c0b1e-7a09"]
    diff = place.admin.http.get(place.admin.url(f"/agent/run/{run['id']}/diff")).json()
    assert [file["path"] for file in diff["files"]] == ["new.py"]
    assert not (agents.repository / "new.py").exists()


def test_a_model_of_others_is_refused_when_it_is_asked_for(place):
    body = {"prompt": "hi", "engine": "claude_code", "model": "openai:gpt-5"}
    answer = place.admin.http.post(place.admin.url("/agent/run"), json=body)
    assert answer.status_code == 422
    assert "anthropic only" in answer.json()["message"]


def test_a_cancel_ends_the_program(place, agents):
    run = place.admin.create("wait", engine="claude_code")
    place.admin.until(run["id"], lambda _: (agents.place / "pid").exists() and (agents.place / "pid").read_text(), 150)
    body = {"agent_run_id": run["id"]}
    place.admin.http.post(f"/v1/beta/organizations/{place.admin.org}/agent/run/stop", json=body)
    pid = int((agents.place / "pid").read_text())
    place.admin.until(run["id"], lambda now: now["status"] == "CANCELLED" and not is_alive(pid), seconds=150)
