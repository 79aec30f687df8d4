"""A small shop to ask about, and an engine to ask."""

import pytest

from contexten.engines import Exchange
from contexten.engines.analyst import AnalystEngine
from shop_project import SHOP, Journal, make_project, task


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def shop(tmp_path):
    return make_project(tmp_path / "shop", SHOP)


@pytest.fixture
def engine(tmp_path):
    return AnalystEngine(cache=tmp_path / "cache")


@pytest.fixture
def ask(engine, shop):
    """Ask about the shop; earlier prompts become earlier turns."""

    async def asked(prompt, *before, workspace=shop, journal=None):
        history = tuple(Exchange(each, "answered", "COMPLETE") for each in before)
        return await engine.run(task(workspace, prompt, history=history), journal or Journal())

    return asked
