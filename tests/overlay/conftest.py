"""Environments with the real `codegen` package, and a server that its programs talk to."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from codegen_environments import NEWEST, ROOT, Environment, make_environment

from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import RunStatus
from contexten.server.serve import Embedded
from contexten.settings import ServerSettings


def pytest_collection_modifyitems(config, items):
    if "matrix" in (config.option.markexpr or ""):
        return
    left_out = [item for item in items if any(not mark.kwargs["always"] for mark in item.iter_markers("matrix"))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The newest version's own files, without what it needs to run."""
    return make_environment(tmp_path_factory.mktemp("template") / "environment", NEWEST, "3.12", whole=False)


@pytest.fixture
def environment(template, tmp_path) -> Environment:
    """A copy of those files: enough for whatever does not run them."""
    return Environment(shutil.copytree(template.root, tmp_path / "environment", symlinks=True))


@pytest.fixture(scope="session")
def environments(tmp_path_factory):
    """Whole environments, made once and given out by version and Python; tests leave them as they were."""
    made = {}

    def give(version: str = NEWEST, python: str = "3.12") -> Environment:
        key = (version, python)
        if key not in made:
            root = tmp_path_factory.mktemp("environments") / f"{version}-{python}"
            made[key] = make_environment(root, version, python, whole=True)
        return made[key]

    return give


class ByPrompt:
    """An engine that ends a run with the status that the prompt begins with.

    A prompt such as `COMPLETE when /some/file` waits until that file is there.
    """

    name = "by-prompt"
    concurrency = 32

    def availability(self):
        return Availability(ready=True)

    async def run(self, task, journal):
        status, _, file = task.prompt.partition(" when ")
        if file:
            await asyncio.to_thread(_until_there, Path(file))
        known = status in RunStatus.__members__
        return Outcome(RunStatus(status) if known else RunStatus.COMPLETE, f"the answer to {task.prompt!r}")


def _until_there(file, seconds=150):
    deadline = time.monotonic() + seconds
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real server whose runs end as their prompts say."""
    data = tmp_path_factory.mktemp("server")
    chosen = {"CONTEXTEN_DATA_DIR": data, "CONTEXTEN_REPO": ROOT / "docs", "CONTEXTEN_ENGINE": ByPrompt.name}
    settings = ServerSettings(_env_file=None, **chosen)
    with Embedded(settings, engines=Engines([ByPrompt()])) as embedded:
        yield embedded


@pytest.fixture
def account(server) -> dict[str, str]:
    """The environment variables by which the programs under test find the server."""
    return {"BASE_URL": server.base_url, "TOKEN": server.token, "ORG_ID": str(server.organization_id)}
