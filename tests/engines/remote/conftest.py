"""Another server, and a run that is handed to it."""

from __future__ import annotations

import pytest

from contexten.engines.remote import RemoteEngine
from engines.programs.fake_agents import Turns
from engines.remote.other_server import other_server
from shop_project import task


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with other_server(tmp_path_factory.mktemp("shop")) as there:
        yield there


class Here:
    """A run of ours that is handed over: its journal, and the tasks of its turns."""

    def __init__(self, there, tmp_path):
        self.there, self.folder = there, tmp_path
        self.journal = Turns()
        self.name = there.place.admin.http.get(there.place.admin.url("/repos")).json()["items"][0]["name"]

    def task(self, prompt, **more):
        return task(self.folder, prompt, **({"repo_name": self.name} | more))

    async def run(self, prompt, engine=None, **more):
        engine = engine or RemoteEngine(self.there.settings(self.folder))
        return await engine.run(self.task(prompt, **more), self.journal)

    @property
    def thoughts(self):
        return [entry.thought or entry.observation for entry in self.journal.written.values()]

    @property
    def run_id(self):
        return self.journal.written["remote"].tool_output["run_id"]


@pytest.fixture
def here(there, tmp_path):
    there.engine.gate.clear()
    return Here(there, tmp_path)
