"""Figures for Prometheus, from a running server."""

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from running_server import running
from waiting import until


def figures(place):
    answer = httpx2.get(f"{place.server.base_url}/metrics", timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(filter(None, sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def grown(before, after, *key):
    return after.get(key, 0) - before.get(key, 0)


def test_a_runs_life_shows_in_the_figures_and_needs_no_token_on_loopback(tmp_path):
    with running(tmp_path, CONTEXTEN_CONCURRENCY=1) as place:
        before = figures(place)
        place.admin.finished("hello")
        held = place.admin.create("x", engine="held")["id"]
        second = place.admin.create("y", engine="held")["id"]
        busy = until(
            lambda: figures(place),
            lambda now: (
                now.get(("contexten_runs_active", "held")) == 1
                and now.get(("contexten_queue_depth", "held")) == 1
                and grown(before, now, "contexten_runs_total", "COMPLETE", "echo")
            ),
        )
        assert grown(before, busy, "contexten_runs_total", "COMPLETE", "echo") == 1
        assert grown(before, busy, "agent_requests_total", "echo") == 1
        assert grown(before, busy, "agent_execution_time_histogram_count", "echo") == 1
        for run_id in (second, held):
            place.admin.http.post(
                f"/v1/beta/organizations/{place.admin.org}/agent/run/stop", json={"agent_run_id": run_id}
            )
        after = until(
            lambda: figures(place),
            lambda now: (
                now["contexten_runs_active", "held"] == now["contexten_queue_depth", "held"] == 0
                and grown(before, now, "contexten_runs_total", "CANCELLED", "held") >= 2
            ),
        )
    assert grown(before, after, "contexten_runs_total", "CANCELLED", "held") == 2


def test_a_server_that_others_can_reach_wants_a_token(tmp_path):
    with running(tmp_path, CONTEXTEN_HOST="0.0.0.0", CONTEXTEN_ALLOW_REMOTE=True) as place:
        assert httpx2.get(f"{place.server.base_url}/metrics", timeout=60).status_code == 401
        assert place.reader.http.get("/metrics").status_code == 200


@pytest.mark.parametrize("public", [None, "https://agents.example.com", "http://127.0.0.1:8443"])
def test_a_proxy_on_the_machine_opens_the_figures_to_nobody(start, public):
    """Whether it hands on the name that was asked for, or writes one of its own."""
    names = {"CONTEXTEN_PUBLIC_URL": public, "CONTEXTEN_ALLOWED_HOSTS": "agents.example.com"}
    with start(**names) as place:
        for host in ("127.0.0.1", "localhost:8000", "[::1]", "agents.example.com"):
            at_home = host != "agents.example.com" and public != "https://agents.example.com"
            answer = place.nobody.http.get("/metrics", headers={"Host": host})
            assert answer.status_code == (200 if at_home else 401), host
            assert place.reader.http.get("/metrics", headers={"Host": host}).status_code == 200, host
