"""A server that is killed, and one that is told to stop a run, while another one does the work."""

import json
import os
import signal
import subprocess
import sys

import pytest

from engines.remote.other_server import other_server
from running_server import Caller

pytestmark = pytest.mark.chaos


class Server:
    """`contexten up`, which hands its runs to another server."""

    def __init__(self, there, folder):
        self._environment = os.environ | {
            "CONTEXTEN_DATA_DIR": str(folder / "here"),
            "CONTEXTEN_CACHE_DIR": str(folder / "cache"),
            "CONTEXTEN_ENGINE": "remote",
            "CONTEXTEN_REMOTE_BASE_URL": there.place.server.base_url,
            "CONTEXTEN_REMOTE_TOKEN": there.place.member.token,
            "CONTEXTEN_REMOTE_ORG_ID": "1",
            "CONTEXTEN_REMOTE_REPO_ID": "1",
        }
        self._folder = folder

    def __enter__(self):
        command = [sys.executable, "-m", "contexten", "up", "--port", "0", "--json"]
        self.process = subprocess.Popen(
            command, cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        address = json.loads(self.process.stdout.readline())["base_url"]
        token = json.loads((self._folder / "here" / "credentials.json").read_text())["token"]
        self.caller = Caller(address, 1, token)
        return self

    def __exit__(self, *_):
        self.caller.http.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.process.stdout.close()

    def log(self, run_id):
        logs = self.caller.http.get(f"/v1/alpha/organizations/1/agent/run/{run_id}/logs").json()["logs"]
        return [entry["thought"] or entry["observation"] for entry in logs]


def test_a_run_there_survives_a_kill_here_and_ends_with_a_cancel_here(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    with other_server(tmp_path) as there:
        with Server(there, folder) as first:
            run_id = first.caller.create("wait")["id"]
            first.caller.until(run_id, lambda run: run["log_count"] == 4, seconds=150)
            assert first.log(run_id)[-1] == "one"
        there.engine.gate.set()
        with Server(there, folder) as second:
            run = second.caller.until(run_id, seconds=150)
            log = second.log(run_id)
            assert run["status"] == "COMPLETE"
            assert [line for line in log if line in {"one", "two"}] == ["one", "two"]
            assert len(log) == len(set(log))
            assert len(there.runs) == 1

            run_id = second.caller.create("wait for ever")["id"]
            second.caller.until(run_id, lambda run: run["log_count"] == 4, seconds=150)
            second.caller.http.post("/v1/beta/organizations/1/agent/run/stop", json={"agent_run_id": run_id})
            there.until(there.runs[0]["id"], lambda run: run["status"] == "CANCELLED")
