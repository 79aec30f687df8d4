"""Environments with the real `codegen` package, and a server that its programs talk to."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
import subprocess
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest
from interpreters import find_python, find_uv

from contexten.engines import Availability, Engines, Outcome
from contexten.overlay import find
from contexten.protocol import RunStatus
from contexten.server.serve import Embedded
from contexten.settings import ServerSettings

ROOT = Path(__file__).parents[2]
NEWEST = "0.57.0"
ALWAYS = [("0.57.0", "3.12"), ("0.56.3", "3.12"), ("0.57.0", "3.13")]
VERSIONS = ("0.54.1", "0.55.7", "0.56.2", "0.56.3", "0.56.27", "0.57.0")


def every_version(*left_out: str):
    """Parameters `(version, python)`: a few always, the others with the mark `matrix`."""
    chosen = [(version, python) for version in VERSIONS if version not in left_out for python in ("3.12", "3.13")]
    marks = {pair: () if pair in ALWAYS else (pytest.mark.matrix,) for pair in chosen}
    return [pytest.param(*pair, marks=marks[pair], id="-py".join(pair)) for pair in chosen]


def pytest_collection_modifyitems(config, items):
    if "matrix" in (config.option.markexpr or ""):
        return
    chosen = [item for item in items if item.get_closest_marker("matrix") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@dataclass(frozen=True)
class Environment:
    """A virtual environment with `codegen`."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return next(self.root.glob("lib/python3*/site-packages"))

    @property
    def package(self) -> Path:
        return self.site_packages / "codegen"

    @property
    def agent(self) -> Path:
        return self.package / "agents" / "agent.py"

    @property
    def record(self) -> Path:
        return next(self.site_packages.glob("codegen-*.dist-info/RECORD"))

    def target(self):
        return find(python=self.python)

    def run(self, program: str, *args: str, **variables: str) -> str:
        """What a program prints; it must succeed."""
        return self.python_with("-c", program, *args, **variables)

    def python_with(self, *words: str, **variables: str) -> str:
        """What the interpreter prints when it is called so; it must succeed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("CODEGEN", "COV"))}
        environment |= {"CONTEXTEN_OVERLAY_BRIDGE": "0", "HOME": str(self.root), "TELEMETRY_ENABLED": "false"}
        environment |= {"TELEMETRY_CONSENT_PROMPTED": "true", **variables}
        command = [str(self.python), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=self.root
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def snapshot(self) -> dict[str, tuple[str, int]]:
        """Hash and mode of each file of the package and its metadata, compiled files left out."""
        folders = [self.package, *self.site_packages.glob("codegen-*.dist-info")]
        files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
        return {
            file.relative_to(self.site_packages).as_posix(): (_sha256(file).hex(), file.stat().st_mode)
            for file in files
            if file.suffix != ".pyc"
        }

    def untrue_records(self) -> list[str]:
        """Files whose content is not what RECORD says."""
        rows = [row for row in csv.reader(self.record.read_text().splitlines()) if row[1]]
        digests = {row[0]: row[1] for row in rows if not row[0].startswith("..")}
        return [
            name
            for name, digest in digests.items()
            if digest != f"sha256={urlsafe_b64encode(_sha256(self.site_packages / name)).rstrip(b'=').decode()}"
        ]


def _sha256(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def uv(*words: str) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "hardlink"}
    subprocess.run([find_uv(), *words, "--quiet"], check=True, env=environment, timeout=600)


def make_environment(
    root: Path, version: str, python: str, *, whole: bool, packages: tuple[str, ...] = ()
) -> Environment:
    """An environment with this version; without what the package needs to run unless it is to be whole."""
    uv("venv", str(root), "--python", str(find_python(python)), "--no-project")
    needs = () if whole else ("--no-deps",)
    uv("pip", "install", "--python", str(root), f"codegen=={version}", *packages, *needs)
    return Environment(root)


@pytest.fixture
def environment(tmp_path) -> Environment:
    """The newest version's own files, quick to make: enough for whatever does not run it."""
    return make_environment(tmp_path / "environment", NEWEST, "3.12", whole=False)


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
        deadline = time.monotonic() + 60
        while file and not Path(file).exists() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        known = status in RunStatus.__members__
        return Outcome(RunStatus(status) if known else RunStatus.COMPLETE, f"the answer to {task.prompt!r}")


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
