"""`kill -9` of a server whose model works: the next one goes on where the log ends, and asks and changes nothing twice."""

import json
import os
import subprocess
import sys

import pytest

from contexten.client.local import LocalCredentials
from model_provider import Holds, calls, finish, provider
from running_server import Caller
from shop_project import SHOP, commit_all, make_project

pytestmark = pytest.mark.chaos
INSERT = ("edit", {"path": "shop/errors.py", "old": '"""What can', "new": '# seen\n"""What can'})


@pytest.fixture
def start(tmp_path):
    """Starts a server on the data of this test."""
    shop = make_project(tmp_path / "shop", SHOP)
    commit_all(shop, "Begin")
    started = []

    def begin(environment):
        settings = {"CONTEXTEN_DATA_DIR": str(tmp_path / "data"), "CONTEXTEN_CACHE_DIR": str(tmp_path / "cache")}
        process = subprocess.Popen(
            [sys.executable, "-m", "contexten", "up", "--port", "0", "--json", "--repo", str(shop)],
            env={**os.environ, **settings, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        address = json.loads(process.stdout.readline())["base_url"]
        local = LocalCredentials.read(tmp_path / "data")
        return process, Caller(address, local.organization_id, local.token)

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_server_does_no_step_twice(start, tmp_path):
    held = Holds()
    with provider(calls(INSERT, text="First."), held, finish("Both.")) as scripted:
        process, caller = start(scripted.environment())
        run = caller.create("Note it", engine="model", model="openai:gpt-5")
        assert held.reached.wait(150)
        process.kill()
        process.wait()
        caller.http.close()
        held.let_go.set()
        _, caller = start(scripted.environment())
        ended = caller.until(run["id"], seconds=150)
        caller.http.close()
    assert (ended["status"], ended["result"]) == ("COMPLETE", "Both.")
    assert ended["summary"].startswith("1 file, +1 ")
    assert len(scripted.requests) == 3
    assert "First." in scripted.told(-1)
    copy = next((tmp_path / "data/checkouts").rglob("shop/errors.py"))
    assert copy.read_text().count("# seen") == 1
