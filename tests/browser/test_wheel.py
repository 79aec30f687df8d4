"""The package as people install it: the dashboard is in it, and needs no Node.js."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from contexten import CodegenClient
from contexten.client.local import LocalCredentials
from interpreters import find_uv

ROOT = Path(__file__).parents[2]
PACKED = ("src", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md")


@pytest.fixture(scope="module")
def clone(tmp_path_factory, bundle):
    """What the package is built from."""
    folder = tmp_path_factory.mktemp("clone")
    for name in PACKED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, folder)
    return folder


def build(clone, **environment):
    command = [find_uv(), "build", "--wheel", "--out-dir", str(clone / "dist")]
    return subprocess.run(
        command, cwd=clone, env=os.environ | environment, capture_output=True, text=True, timeout=150, check=False
    )


@pytest.fixture
def installed(clone, tmp_path):
    """The program `contexten` in an environment that has nothing else on its path."""
    made = build(clone)
    assert made.returncode == 0, made.stderr
    [wheel] = (clone / "dist").glob("*.whl")
    environment = tmp_path / "environment"
    for words in (
        ["venv", "--quiet", "--python", sys.executable, str(environment)],
        ["pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), f"{wheel}[dashboard]"],
    ):
        subprocess.run([find_uv(), *words], check=True, timeout=170)
    return environment / "bin" / "contexten"


def test_an_installed_package_shows_the_dashboard_without_node(installed, visit, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    environment = {
        "PATH": str(installed.parent),
        "HOME": str(tmp_path),
        "CONTEXTEN_DATA_DIR": str(tmp_path / "data"),
        "CONTEXTEN_CACHE_DIR": str(tmp_path / "cache"),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    server = subprocess.Popen([installed, "up", "--port", "0", "--json"], cwd=project, env=environment, **pipes)
    try:
        address = json.loads(server.stdout.readline())["base_url"]
        page = visit()
        page.goto(link_to(address, tmp_path / "data"))
        expect(page).to_have_title("Runs · Contexten")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        page.close()
    finally:
        server.send_signal(signal.SIGTERM)
        _, complaints = server.communicate(timeout=60)
    assert (server.returncode, complaints) == (0, "")


def link_to(address, data):
    """A link that signs in, made with the token that the server left for programs of this machine."""
    credentials = LocalCredentials.read(data)
    with CodegenClient(credentials.token, credentials.organization_id, address) as client:
        return client.create_sign_in_link().url


def test_a_package_is_built_with_its_pages_or_without_any_by_name(clone):
    shutil.rmtree(clone / "src/contexten/dashboard/web")
    refused = build(clone)
    assert refused.returncode != 0
    assert "make dashboard" in refused.stderr
    assert build(clone, CONTEXTEN_WITHOUT_DASHBOARD="1").returncode == 0
