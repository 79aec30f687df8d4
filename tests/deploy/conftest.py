"""Server processes as they are deployed: several on one database, each with a folder, a name and ports of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

PROGRAM = Path(__file__).with_name("replica_program.py")
DEADLINE = 120.0
TERMINAL = {"COMPLETE", "FAILED", "ERROR", "CANCELLED", "TIMEOUT"}


class Replica:
    """One process; `ready` waits until it serves."""

    def __init__(self, folder, name, token, **settings):
        self.name, self._token = name, token
        self._errors = folder / f"{name}.log"
        home, project = folder / name, folder / "project"
        home.mkdir(exist_ok=True)
        project.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "RELEASED": str(folder), "CONTEXTEN_WORKER_ID": name,
            "CONTEXTEN_DATA_DIR": str(home / "data"), "CONTEXTEN_CACHE_DIR": str(home / "cache"),
            "CONTEXTEN_REPO": str(project), "CONTEXTEN_PORT": "0", "CONTEXTEN_METRICS_PORT": "0",
            "CONTEXTEN_ENGINE": "patient", **settings,
        }  # fmt: skip
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM], env=environment, cwd=home, text=True, stdout=subprocess.PIPE, stderr=errors
            )

    def ready(self):
        line = self.process.stdout.readline()
        assert line, self.errors
        self.base_url, self.metrics_url = json.loads(line)
        self.http = httpx2.Client(
            base_url=self.base_url, headers={"Authorization": f"Bearer {self._token}"}, timeout=60
        )
        return self

    @property
    def errors(self):
        return self._errors.read_text()

    def status(self, path):
        return httpx2.get(f"{self.base_url}{path}", timeout=60).status_code

    def figure(self, name):
        """A figure without labels."""
        lines = httpx2.get(self.metrics_url, timeout=60).text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def create(self, prompt):
        answer = self.http.post("/v1/organizations/1/agent/run", json={"prompt": prompt})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def run(self, run_id):
        return self.http.get(f"/v1/organizations/1/agent/run/{run_id}").json()

    def thoughts(self, run_id):
        """What the log of a run says, but for the prompt."""
        page = self.http.get(f"/v1/alpha/organizations/1/agent/run/{run_id}/logs").json()
        return [entry["thought"] for entry in page["logs"] if entry["thought"]]

    def tell_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def end(self):
        """Wait until it has ended, and give back its exit code."""
        code = self.process.wait(DEADLINE)
        self.close()
        return code

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if hasattr(self, "http"):
            self.http.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts replicas that share a folder; those that still run at the end of the module are killed."""
    folder, started = tmp_path_factory.mktemp("replicas"), []

    def begin(name, token, **settings):
        started.append(Replica(folder, name, token, **settings))
        return started[-1]

    begin.folder = folder
    yield begin
    for replica in started:
        replica.close()
