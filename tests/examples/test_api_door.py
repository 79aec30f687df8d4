"""`python api.py` is the server, and `from api import CodegenClient` the client; both find each other without settings."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from example_programs import ROOT

import contexten

pytestmark = pytest.mark.once
SAMPLE = ROOT / "tests" / "cli" / "sample"
PROGRAM = """
from api import CodegenClient

client = CodegenClient()
run = client.create_agent_run("Who calls refund_order?")
print("made", run["id"], run["status"], run["web_url"] == run.web_url)
client.task(run["id"]).wait(timeout=60)
logs = client.get_agent_run_logs(run["id"])
for log in logs["logs"]:
    print("log", log["message_type"], log.get("thought", "") is not None)
resumed = client.resume_agent_run(run["id"], "And which tests cover it?")
print("resumed", resumed["id"] == run["id"], resumed["turn"])
print("got", client.get_agent_run(run["id"])["id"] == run["id"])
print("listed", [each["id"] for each in client.list_agent_runs(limit=10)["items"]])
print("stopped", client.cancel_agent_run(run["id"]).is_terminal)
client.close()

with CodegenClient() as client:
    task = client.run("Give me an overview")
    task.refresh()
    print("status", task.status in {"PENDING", "RUNNING", "COMPLETE"})
    print("ended", task.wait(timeout=60).status)
    print("short", client.request("GET", "/status").json()["id"] == task.id)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("door")
    shutil.copytree(SAMPLE, home / "src")
    return home


@pytest.fixture(scope="module")
def environment(home):
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CACHE", "CONFIG", "STATE")}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **folders}


@contextmanager
def serving(home, environment):
    command = [sys.executable, str(ROOT / "api.py"), "--port", "0", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=home / "src" / "shop", env=environment, **pipes) as server:
        try:
            line = server.stdout.readline()
            assert line, server.stderr.read()
            yield server, json.loads(line)
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=60)


def test_the_documented_program_runs_against_the_documented_server(home, environment):
    with serving(home, environment) as (server, ready):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "made 1 PENDING True"
    assert "log USER_MESSAGE True" in done.stdout
    assert "log FINAL_ANSWER True" in done.stdout
    for line in (
        "resumed True 2",
        "got True",
        "listed [1]",
        "stopped True",
        "status True",
        "ended COMPLETE",
        "short True",
    ):
        assert line in done.stdout.splitlines()
    assert ready["version"] == contexten.__version__
    assert server.returncode == 0


def test_the_door_has_the_client_alone(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import api

    assert api.CodegenClient is contexten.CodegenClient
    assert api.__all__ == ["CodegenClient"]
