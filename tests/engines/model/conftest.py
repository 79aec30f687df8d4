"""The engine `model` at work for a model whose answers are a script."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from contexten.engines.checkout import find_checkout, open_checkout
from contexten.engines.model import ModelEngine
from contexten.engines.model.limits import Limits
from contexten.engines.model.said import Call
from contexten.engines.model.toolbox import Toolbox
from contexten.engines.model.tools import Place
from contexten.engines.sandbox import Sandbox
from model_provider import provider
from shop_project import SHOP, Journal, commit_all, make_project, task

QUICK = Limits(retries=2, request_seconds=30)
SANDBOX = Sandbox()


class Work:
    """Runs of one shop, one after the other, and what became of them."""

    def __init__(self, shop, home, monkeypatch):
        self.shop = shop
        self.home = home
        self.journal = Journal()
        self._monkeypatch = monkeypatch

    async def __call__(self, *script, forever=False, limits=QUICK, model="openai:gpt-5", prompt="Do it.", **more):
        """How a turn ends for which the model gives these answers."""
        with provider(*script, forever=forever) as self.provider:
            for name, value in self.provider.environment().items():
                self._monkeypatch.setenv(name, value)
            return await self.run(limits=limits, model=model, prompt=prompt, **more)

    async def run(self, *, limits=QUICK, model="openai:gpt-5", prompt="Do it.", **more):
        engine = ModelEngine(None, self.home, SANDBOX, limits)
        return await engine.run(task(self.shop, prompt, model=model, **more), self.journal)

    @property
    def root(self):
        return find_checkout(self.home, 1, 1).root

    def text(self, path):
        return (self.root / path).read_text()

    @property
    def log(self):
        """All that was written down, as one text."""
        return json.dumps([entry.model_dump() for entry in self.journal.written.values()], ensure_ascii=False)

    @property
    def answers(self):
        """What the tools told the model."""
        entries = self.journal.written.values()
        return [entry.tool_output["answer"] for entry in entries if entry.message_type == "ACTION"]


@pytest.fixture
def shop(tmp_path):
    folder = make_project(tmp_path / "shop", SHOP)
    commit_all(folder, "Begin")
    return folder


@pytest.fixture
def work(shop, tmp_path, monkeypatch):
    return Work(shop, tmp_path / "checkouts", monkeypatch)


class Tools:
    """A toolbox whose tools are used by name."""

    def __init__(self, place, threads):
        self.place = place
        self._toolbox = Toolbox(place, threads)

    async def __call__(self, tool, **arguments):
        return await self._toolbox.do(Call("1", tool, arguments))


@pytest.fixture
async def toolbox(shop, tmp_path):
    checkout = await open_checkout(task(shop, "Do it."), tmp_path / "checkouts")
    with ThreadPoolExecutor(1) as threads:
        yield Tools(Place(checkout.root, "shop", SANDBOX), threads)
