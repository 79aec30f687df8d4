"""Health checks: judgement of what they return, time limits, hanging checks."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from contexten.telemetry import health
from contexten.telemetry.health import HealthChecks


@pytest.fixture
def checks():
    return HealthChecks()


def only(checks, outcome):
    checks.add("it", outcome if callable(outcome) else lambda: outcome)
    return checks.run()


def test_no_checks_is_healthy(checks):
    before = time.time()
    result = checks.run()
    assert (result["overall_status"], result["checks"]) == ("healthy", {})
    assert before <= result["timestamp"] <= time.time()


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ({"status": "ok", "response_time": 0.123}, "healthy"),
        ({"response_time": 0.123}, "healthy"),
        ({"status": True}, "healthy"),
        ({"status": "degraded"}, "degraded"),
        ({"status": "no idea"}, "unhealthy"),
        ("Healthy", "healthy"),
        ("warning", "degraded"),
        ("down", "unhealthy"),
        (True, "healthy"),
        (None, "healthy"),
        (False, "unhealthy"),
    ],
)
def test_what_a_check_returns_is_judged(checks, outcome, status):
    result = only(checks, outcome)
    assert result["overall_status"] == result["checks"]["it"]["status"] == status


def test_what_a_check_reports_is_kept(checks):
    result = only(checks, {"status": "ok", "response_time": 0.123})
    assert result["checks"]["it"]["response_time"] == 0.123
    assert result["checks"]["it"]["duration_seconds"] >= 0


def test_a_check_that_raises_is_unhealthy_and_says_why(checks):
    def broken():
        raise ConnectionError("no route")

    checks.add("good", lambda: True)
    result = only(checks, broken)
    assert result["overall_status"] == "unhealthy"
    assert result["checks"]["it"]["message"] == "ConnectionError: no route"
    assert result["checks"]["good"]["status"] == "healthy"


def test_a_check_that_exits_is_unhealthy(checks):
    def leaving():
        raise SystemExit(3)

    assert only(checks, leaving)["overall_status"] == "unhealthy"


def test_an_asynchronous_check_is_awaited(checks):
    async def check():
        await asyncio.sleep(0)
        return {"status": "degraded"}

    assert only(checks, check)["overall_status"] == "degraded"


def test_checks_run_together(checks):
    together = threading.Barrier(100)
    for n in range(100):
        checks.add(f"waits for the others {n}", lambda: together.wait() >= 0, timeout=60)
    assert checks.run()["overall_status"] == "healthy"


def test_checks_stop_at_their_limit(checks):
    release = threading.Event()
    for n in range(3):
        checks.add(f"hangs {n}", release.wait, timeout=0.3)
    result = checks.run()
    assert {each["message"] for each in result["checks"].values()} == {"no answer within 0.3 s"}
    release.set()


def test_a_check_that_hangs_is_not_started_again(checks):
    release, starts = threading.Event(), []

    def hangs():
        starts.append(1)
        release.wait(150)

    checks.add("it", hangs, timeout=0.05)
    for _ in range(3):
        assert checks.run()["overall_status"] == "unhealthy"
    deadline = time.monotonic() + 150
    while not starts:
        assert time.monotonic() < deadline
    assert len(starts) == 1
    release.set()
    while checks.run()["overall_status"] != "healthy":
        assert time.monotonic() < deadline


def test_a_check_can_be_replaced_and_removed(checks):
    checks.add("it", lambda: False)
    checks.add("it", lambda: True)
    assert checks.run()["overall_status"] == "healthy"
    assert checks.remove("it")
    assert not checks.remove("it")
    assert checks.run()["checks"] == {}


@pytest.mark.parametrize(("check", "timeout", "error"), [(None, 1, TypeError), (print, 0, ValueError)])
def test_what_cannot_be_meant_is_refused(checks, check, timeout, error):
    with pytest.raises(error):
        checks.add("it", check, timeout)


def test_the_module_functions_are_those_of_the_process():
    health.add_health_check("api_connectivity", lambda: {"status": "ok"})
    assert health.run_health_checks()["checks"]["api_connectivity"]["status"] == "healthy"
    assert health.remove_health_check("api_connectivity")


def test_the_system_is_described():
    info = health.get_system_info()
    assert info["python_version"].count(".") == 2
    assert info["cpu_count"] >= 1
    assert info["peak_memory_bytes"] > 1_000_000
    assert info["uptime_seconds"] > 0
