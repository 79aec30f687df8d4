"""A server started as a user starts it, and the official packages in environments of their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from free_port import free_port
from interpreters import find_python, find_uv

if TYPE_CHECKING:
    from pathlib import Path

REFUNDS = '''"""Refunds."""


def refund_order(order_id: int) -> bool:
    """Give the money of an order back."""
    return order_id > 0
'''
CHECKOUT = '''"""Checkout."""

from shop.refunds import refund_order


def cancel(order_id: int) -> bool:
    """Cancel an order and give the money back."""
    return refund_order(order_id)
'''


@dataclass(frozen=True)
class Live:
    """A running server and how to reach it."""

    base_url: str
    token: str
    organization_id: int
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point official programs here, and a home of their own."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CODEGEN_API_TOKEN": self.token,
            "CODEGEN_ORG_ID": str(self.organization_id),
            "CODEGEN_BASE_URL": self.base_url,
            "CODEGEN_API_BASE_URL": self.base_url,
            "TELEMETRY_ENABLED": "false",
            "TELEMETRY_CONSENT_PROMPTED": "true",
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }

    def call(self, method: str, path: str, body: object = None) -> object:
        """One plain HTTP request, as curl would make it."""
        request = urllib.request.Request(
            self.base_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def wait_for_end(self, run_id: int) -> dict[str, object]:
        """Follow a run's event stream until the server ends it, then give the run back."""
        request = urllib.request.Request(
            f"{self.base_url}/v1/organizations/{self.organization_id}/agent/run/{run_id}/events",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as stream:
            stream.read()
        return self.call("GET", f"/v1/organizations/{self.organization_id}/agent/run/{run_id}")


@pytest.fixture(scope="session")
def live(tmp_path_factory):
    """`contexten up` on a small project, in a home of its own."""
    home = tmp_path_factory.mktemp("home")
    shop = home / "shop-project" / "shop"
    shop.mkdir(parents=True)
    (shop / "__init__.py").write_text("")
    (shop / "refunds.py").write_text(REFUNDS)
    (shop / "checkout.py").write_text(CHECKOUT)
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    command = [sys.executable, "-m", "contexten", "up", "--port", str(port)]
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=shop.parent, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(process, f"http://127.0.0.1:{port}", home / "up.log")
        (credentials,) = home.rglob("credentials.json")
        found = json.loads(credentials.read_text())
        yield Live(f"http://127.0.0.1:{port}", found["token"], found["organization_id"], home)
    finally:
        process.terminate()
        process.wait(150)


def wait_until_healthy(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"contexten up ended with {process.returncode}:\n{log.read_text()}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{base_url}/health", timeout=5):
            return
        time.sleep(0.05)
    pytest.fail(f"contexten up did not become healthy:\n{log.read_text()}")


@pytest.fixture(scope="session")
def official(tmp_path_factory):
    """A function that makes an environment with an official package and gives back its `bin` folder."""
    made: dict[tuple[str, str], Path] = {}

    def make(requirement: str, python: str = "3.12") -> Path:
        if (requirement, python) not in made:
            made[requirement, python] = environment_with(tmp_path_factory.mktemp("official"), requirement, python)
        return made[requirement, python]

    return make


def environment_with(folder: Path, requirement: str, python: str) -> Path:
    uv, interpreter = find_uv(), find_python(python)
    subprocess.run([uv, "venv", "-q", "--python", interpreter, folder / "env"], check=True)
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", folder / "env" / "bin" / "python", requirement],
        check=True,
        timeout=600,
    )
    return folder / "env" / "bin"
