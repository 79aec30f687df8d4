import json

import pytest

from contexten.agents import EnhancedAgent, ObservableStreamingAgent, RealTimeMonitor
from contexten.errors import ConnectError, UsageError
from contexten.resilience import Breaker, Policy, Retry


def test_the_documented_figures(address):
    with ObservableStreamingAgent(**address) as agent:
        monitor = RealTimeMonitor(agent)
        assert monitor.get_dashboard_data()["metrics_summary"]["status"] == "idle"
        for _ in agent.run_streaming("hello"):
            pass
        data = monitor.get_dashboard_data()
    summary = data["metrics_summary"]
    assert (summary["status"], summary["asked"], summary["ended"], summary["failed"]) == ("healthy", 1, 1, 0)
    assert summary["p95"] > 0
    assert data["recent_runs"][0]["prompt"] == "hello"
    assert data["health"]["checks"]["server"]["breaker"] == "closed"
    json.dumps(data)


def test_failing_runs_fire_an_alert_that_good_ones_resolve(address):
    told = []
    with EnhancedAgent(**address) as agent:
        monitor = RealTimeMonitor(agent, error_rate=0.5, targets=[told.append])
        agent.run_batch(["x"] * 4, engine="refusing")
        bad = monitor.get_dashboard_data()
        agent.run_batch(["x"] * 4)
        good = monitor.get_dashboard_data()
    assert bad["metrics_summary"]["status"] == "unhealthy"
    assert bad["alerts"]["firing"] == ["error_rate"]
    assert good["metrics_summary"]["status"] == "healthy"
    assert [alert["state"] for alert in good["alerts"]["recent"]] == ["resolved", "fired"]
    assert [str(alert.state) for alert in told] == ["fired", "resolved"]


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:9", "http://127.0.0.1:9/behind/a/prefix/v1", "http://LOCALHOST:9"]
)
def test_an_open_breaker_shows_as_unhealthy(base_url):
    policy = Policy(retry=Retry(retries=0), breaker=Breaker(threshold=1))
    with EnhancedAgent("token", 1, base_url, policy=policy) as agent:
        monitor = RealTimeMonitor(agent)
        with pytest.raises(ConnectError):
            agent.run_with_retry("hello")
        data = monitor.get_dashboard_data()
    assert data["health"]["checks"]["server"]["breaker"] == "open"
    assert data["metrics_summary"]["status"] == "unhealthy"


def test_a_rate_is_a_share(address):
    with EnhancedAgent(**address) as agent, pytest.raises(UsageError, match="25"):
        RealTimeMonitor(agent, error_rate=25)
