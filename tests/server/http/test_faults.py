"""When the machine or the server itself fails: a right status, nothing told that is not the caller's, nothing lost."""

from __future__ import annotations

import resource
import sqlite3
import time
from contextlib import closing

import httpx2
import pytest

from contexten.client.local import LocalCredentials
from contexten.engines import Availability
from running_server import Caller


class Moody:
    """Cannot say whether it works, once it is told to fail."""

    name = "moody"
    concurrency = None
    failing = False

    def availability(self):
        if self.failing:
            raise RuntimeError("a secret of the server")
        return Availability(ready=True)

    async def run(self, task, journal):
        raise NotImplementedError


def test_a_fault_of_ours_is_a_500_that_tells_only_its_id(start, caplog):
    moody = Moody()
    with start(more_engines=[moody]) as place:
        moody.failing = True
        answer = place.admin.http.get("/v1/engines", headers={"X-Request-ID": "find-me"})
        moody.failing = False
        assert answer.status_code == 500
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"] == "find-me"
        assert "secret" not in answer.text
        assert place.admin.http.get("/v1/engines").status_code == 200
    assert "request find-me failed: GET /v1/engines" in caplog.text
    assert "a secret of the server" in caplog.text, "the log has the reason"


def caller_of(tmp_path, base_url):
    credentials = LocalCredentials.read(tmp_path / "data")
    return Caller(base_url, credentials.organization_id, credentials.token)


def test_a_full_disk_is_a_503_and_nothing_is_lost(program, tmp_path):
    process, base_url = program()
    caller = caller_of(tmp_path, base_url)
    first = caller.create("before")
    largest = max(path.stat().st_size for path in (tmp_path / "data").iterdir() if path.is_file())
    unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest + 4096, unlimited[1]))
    answer = caller.http.post(caller.url("/agent/run"), json={"prompt": "x" * 400_000})
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"]
    assert "the disk failed or is full. Look at it: contexten doctor" in answer.json()["message"]
    assert "INSERT" not in answer.text
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert caller.create("after")["id"] > first["id"]
    listed = caller.http.get(caller.url("/agent/runs")).json()
    assert [run["prompt"] for run in listed["items"]] == ["after", "before"]
    caller.http.close()


def test_a_locked_database_is_a_503(program, tmp_path):
    _, base_url = program()
    caller = caller_of(tmp_path, base_url)
    database = next(path for path in (tmp_path / "data").glob("*.sqlite") if path.name != "queue.sqlite")
    began = time.monotonic()
    caller.create("before")
    usual = time.monotonic() - began
    with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(5):  # the machine may stop in the middle of one, but not of each
            began = time.monotonic()
            answer = caller.http.post(caller.url("/agent/run"), json={"prompt": "p"}, timeout=60)
            took = time.monotonic() - began
            assert answer.status_code == 503, answer.text
            if took < 4 + 10 * usual:
                break
        else:
            pytest.fail(f"with three tries of a client it takes little more than five seconds, not {took} s for each")
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["message"] == (
            "The store is unavailable: the database is locked by another process. End that, or wait for it."
        )
        assert httpx2.get(f"{base_url}/health", timeout=60).status_code == 200, "reading goes on"
        other.execute("ROLLBACK")
    assert caller.create("after")["id"]
    caller.http.close()
