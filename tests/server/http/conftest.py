"""Server processes, and settings of their own."""

import os
import subprocess
import sys
from functools import partial

import pytest

from running_server import settings_for

PROGRAM = """
import sys
from contexten.server.serve import serve
from contexten.settings import ServerSettings
from contexten.engines import Availability, Engines

class Quiet:
    name = "quiet"
    concurrency = None
    def availability(self):
        return Availability(ready=True)
    async def run(self, task, journal):
        import asyncio
        await asyncio.Event().wait()

def ready(started):
    print(started.base_url, flush=True)

serve(ServerSettings(_env_file=None), ready, engines=Engines([Quiet()]))
print("done", flush=True)
"""


@pytest.fixture
def program(tmp_path):
    """Starts a server process on the data of this test; all are ended with the test."""
    started = []

    def start(port=0, **more):
        environment = {
            "PATH": os.environ["PATH"], "CONTEXTEN_DATA_DIR": str(tmp_path / "data"), "CONTEXTEN_REPO": str(tmp_path),
            "CONTEXTEN_CACHE_DIR": str(tmp_path / "cache"), "CONTEXTEN_ENGINE": "quiet", "CONTEXTEN_PORT": str(port), **more,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def settings(tmp_path):
    """Makes settings for a data folder of this test."""
    return partial(settings_for, tmp_path)
