"""The dashboard in a process of its own, as `python dashboard.py` starts it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from contexten.dashboard.hosting.standalone import EnvironmentSeat, MemoryKeeper

ROOT = Path(__file__).parents[2]
HTML = {"Accept": "text/html"}
SECONDS = 120


@pytest.fixture
def process(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODEGEN_", "CONTEXTEN_"))}
    environment = kept | {"CONTEXTEN_DATA_DIR": str(tmp_path / "data"), "CONTEXTEN_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, ROOT / "dashboard.py", "--port", "0", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, **pipes)
    yield process
    process.kill()
    process.communicate()


def test_it_lets_in_whoever_has_the_link_of_its_terminal_and_stops_in_order(process):
    link = json.loads(process.stdout.readline())["url"]
    address = link.partition("/?")[0]
    with httpx2.Client(base_url=address, headers=HTML, timeout=SECONDS) as browser:
        refused = browser.get("/")
        assert refused.status_code == 401
        assert "python dashboard.py" in refused.text
        assert browser.get(link).status_code == 303
        assert browser.get("/_dashboard/session").status_code == 204
        assert httpx2.get(link, headers=HTML, timeout=SECONDS).status_code == 401
        assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400
        assert browser.get("/nothing", headers={"Accept": "*/*"}).json()["status_code"] == 404
        assert browser.post("/sign-out", headers={"Origin": address}).status_code == 303
        assert browser.get("/_dashboard/session").status_code == 401
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=SECONDS) == ("", "")
    assert process.returncode == 0


async def of_one_session():
    keeper = MemoryKeeper(3000)
    secret = await keeper.begin(keeper.code())
    visitor = await keeper.visitor(secret)
    await keeper.end(visitor)
    return await keeper.visitor(secret), await keeper.begin("guess")


def test_a_session_ends_when_it_is_signed_out():
    assert asyncio.run(of_one_session()) == (None, None)


def test_the_client_is_that_of_the_settings_as_they_are_now(tmp_path, monkeypatch):
    for name in ("CODEGEN_API_TOKEN", "CODEGEN_TOKEN", "CODEGEN_ORG_ID", "CODEGEN_BASE_URL", "CODEGEN_API_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CONTEXTEN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    async def work():
        seat = EnvironmentSeat()
        assert await seat.client() is None
        written = "CODEGEN_API_TOKEN=ctx_one\nCODEGEN_BASE_URL=http://127.0.0.1:9\n"
        (tmp_path / ".env").write_text(written)
        first = await seat.client()
        assert (first.base_url, await seat.client()) == ("http://127.0.0.1:9", first)
        (tmp_path / ".env").write_text(written.replace("one", "two"))
        second = await seat.client()
        assert second.token.get_secret_value() == "ctx_two"
        await seat.aclose()

    asyncio.run(work())
