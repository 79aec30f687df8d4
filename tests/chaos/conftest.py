"""Workers as processes of their own, which a test starts, kills and reads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


class Worker:
    """One process; what it printed can be waited for."""

    def __init__(self, environment, *arguments, program="worker_program.py"):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / program), *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines, self.errors = [], []
        self._more = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.errors), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines):
        for line in stream:
            with self._more:
                lines.append(line.rstrip("\n"))
                self._more.notify_all()

    def wait_for(self, words, seconds=120):
        """Wait until a line with these words is printed; false when the process ended without."""
        deadline = time.monotonic() + seconds
        with self._more:
            while not any(words in line for line in [*self.lines, *self.errors]):
                if self.process.poll() is not None and not self._readers[0].is_alive():
                    return False
                assert time.monotonic() < deadline, (words, self.lines[-5:], self.errors[-20:])
                self._more.wait(0.05)
        return True

    @property
    def created(self):
        """Runs that it said it had created."""
        with self._more:
            return [int(line.split()[1]) for line in self.lines if line.startswith("created ")]

    def kill(self, after=0.0):
        """`kill -9`, a while from now."""
        time.sleep(after)
        self.process.kill()
        self.end()

    def end(self):
        """Wait for its end and give back its exit code."""
        code = self.process.wait(150)
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@pytest.fixture
def start():
    """Starts workers; those that still run at the end of the test are killed."""
    workers = []

    def begin(environment, *arguments, **options):
        workers.append(Worker(environment, *arguments, **options))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.kill()


@pytest.fixture
def postgresql_environment(postgresql, tmp_path):
    """The settings of workers on a new PostgreSQL database."""
    return {"CONTEXTEN_DATABASE_URL": postgresql.database(), "CONTEXTEN_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request, tmp_path):
    """The settings of a worker on a new database of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql_environment")
    return {"CONTEXTEN_DATA_DIR": str(tmp_path / "data")}
