"""The documented request limits and other settings of the door, each on a server of its own."""

from __future__ import annotations

import httpx2
import pytest

from contexten.server.limits import CREATES, READS, RequestLimits
from contexten.server.problems import Refusal


def test_creates_are_limited_and_say_when_to_try_again(start):
    with start(CONTEXTEN_RATE_LIMITS=True) as place:
        for _ in range(10):
            place.member.create()
        refused = place.member.http.post(place.member.url("/agent/run"), json={"prompt": "one more"})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.json()["message"] == "Rate limit exceeded. Please try again later."
        for address in ("/agent_runs", "/create_agent_run/plan/one%20more"):
            again = place.member.http.post(address, json={"prompt": "one more"})
            assert again.status_code == 429, "a second name is no second budget"
        assert place.member.http.get("/v1/users/me").status_code == 200, "reads are counted apart"
        assert place.admin.create(), "each token is counted apart"


def test_no_limit_without_the_setting():
    limits = RequestLimits(enabled=False)
    for _ in range(READS.requests * 3):
        limits.take(1, READS)


def test_a_limit_is_exact():
    limits = RequestLimits(enabled=True)
    for _ in range(CREATES.requests):
        limits.take(1, CREATES)
    with pytest.raises(Refusal) as refused:
        limits.take(1, CREATES)
    assert refused.value.status_code == 429
    limits.take(2, CREATES)


def test_pages_of_a_named_origin_may_call(start):
    origin = "https://dash.example.org"
    with start(CONTEXTEN_ALLOWED_ORIGINS=origin, CONTEXTEN_PUBLIC_URL="https://agents.example.org/") as place:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        preflight = place.nobody.http.options("/v1/users/me", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin
        answer = place.admin.http.get("/v1/users/me", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert place.admin.http.get("/v1/users/me", headers={"Origin": "https://evil.example"}).status_code == 403
        assert place.admin.create()["web_url"].startswith("https://agents.example.org/runs/")


def test_nothing_of_a_token_is_logged(start, caplog, capfd):
    caplog.set_level("DEBUG")
    with start(CONTEXTEN_LOG_LEVEL="DEBUG") as place:
        place.admin.finished()
        place.admin.http.get("/v1/users/me?token=" + place.admin.token)
        wrong = "ctx_" + "w" * 43
        httpx2.get(place.admin.base_url + "/v1/users/me", headers={"Authorization": f"Bearer {wrong}"}, timeout=60)
        secrets = [place.admin.token, place.member.token, wrong]
    written = caplog.text + "".join(capfd.readouterr())
    assert "GET /v1/users/me -> 401" in written
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    for secret in secrets:
        assert secret not in ours
        assert secret not in repr(place.server)
