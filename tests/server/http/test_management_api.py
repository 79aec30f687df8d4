"""The short addresses: the same runs, for the organization of the token; prompts in addresses; who am I, and how does it go."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from urllib.parse import quote

import pytest

NAMED = ("id", "status", "result", "web_url")


def said(caller, run_id):
    logs = caller.http.get(f"/agent_runs/{run_id}/logs").json()["logs"]
    return [entry["observation"] for entry in logs if entry["message_type"] == "USER_MESSAGE"]


def test_the_short_addresses_are_second_names(place, admin):
    made = admin.http.post("/agent_runs", json={"prompt": "hello", "metadata": {"a": 1}})
    assert made.status_code == 200
    run = admin.until(made.json()["id"])
    path = f"/agent_runs/{run['id']}"
    assert admin.http.get(path).json() == run
    assert admin.http.get("/agent_runs?limit=1").json() == admin.http.get(admin.url("/agent/runs?limit=1")).json()
    for part in ("", "?limit=1", "?skip=1&reverse=true"):
        theirs = admin.http.get(f"/v1/alpha/organizations/{admin.org}/agent/run/{run['id']}/logs{part}").json()
        assert admin.http.get(f"{path}/logs{part}").json() == theirs
    assert admin.http.get("/users/me").json() == admin.http.get("/v1/users/me").json()
    assert admin.http.get(path, headers={"Authorization": f"Bearer {place.other.token}"}).status_code == 404


def test_a_run_goes_on_by_the_short_address(admin):
    run = admin.finished("first")
    answer = admin.http.post(f"/agent_runs/{run['id']}/resume", json={"prompt": "second"})
    assert (answer.status_code, answer.json()["turn"]) == (200, 2)
    assert admin.until(run["id"])["result"] == "second"
    held = admin.create("hold", engine="held")
    busy = admin.http.post(f"/agent_runs/{held['id']}/resume", json={"prompt": "more"})
    assert (busy.status_code, busy.headers["x-should-retry"]) == (409, "true")
    admin.http.post(f"/v1/beta/organizations/{admin.org}/agent/run/stop", json={"agent_run_id": held["id"]})


def test_a_key_makes_one_run_under_both_names(admin):
    key = {"Idempotency-Key": "one and the same"}
    short = admin.http.post("/agent_runs", json={"prompt": "once"}, headers=key).json()
    assert admin.http.post(admin.url("/agent/run"), json={"prompt": "once"}, headers=key).json()["id"] == short["id"]


@pytest.mark.parametrize(
    "query",
    [
        "fix it",
        "src/a.py, tests/b.py//c",
        "a/../b",
        "größer → λ 🙂",
        "50% of it? & #1",
        "line one\nline two\n",
        "x" * 9000,
    ],
)
def test_an_address_says_any_prompt(admin, query):
    run = admin.http.post(f"/create_agent_run/plan/{quote(query, safe='')}").json()
    assert run["metadata"] == {"mode": "plan"}
    assert run["prompt"] == f"Mode: plan\n\n{query}"
    assert admin.until(run["id"])["status"] == "COMPLETE"
    answer = admin.http.post(f"/resume_agent_run/{run['id']}/{quote(query, safe='')}")
    assert answer.json()["prompt"] == query
    admin.until(run["id"])
    assert said(admin, run["id"]) == [f"Mode: plan\n\n{query}", query]


def test_slashes_need_no_escape_in_a_prompt_and_keep_their_place_in_a_mode(admin):
    run = admin.http.post("/create_agent_run/a%2Fb%20c/read src/a.py").json()
    assert run["metadata"] == {"mode": "a/b c"}
    assert run["prompt"] == "Mode: a/b c\n\nread src/a.py"


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("/create_agent_run/plan/what%3F?really", "%3F"),
        ("/create_agent_run/plan/%20", "empty"),
        ("/create_agent_run/plan/", "at least 1"),
        ("/create_agent_run/a%0Ab/x", "one line"),
        (f"/create_agent_run/{'m' * 101}/x", "100 characters"),
        ("/create_agent_run/plan/%FF", "UTF-8"),
        (f"/create_agent_run/plan/{'x' * 10_001}", "10000"),
        ("/resume_agent_run/1/%FF", "UTF-8"),
        ("/resume_agent_run/first/x", "integer"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(admin, address, word):
    answer = admin.http.post(address)
    assert answer.status_code == 422
    assert word in answer.json()["message"]


def test_an_address_that_is_too_long_starts_nothing(admin):
    """What reads the address may be Python or C, and each has its own limit; neither may take a part of it."""
    before = admin.http.get("/agent_runs?limit=1").json()["total"]
    host, port = re.fullmatch(r"http://(.+):(\d+)", admin.base_url).groups()
    head = f"POST /create_agent_run/plan/{'x' * 200_000} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    with suppress(ConnectionError), socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(f"{head}Authorization: Bearer {admin.token}\r\n\r\n".encode())
        answer = connection.recv(12)
        assert answer.startswith(b"HTTP/1.1 4")
    assert admin.http.get("/agent_runs?limit=1").json()["total"] == before


def test_status_is_the_newest_run_of_the_user(place):
    place.admin.finished("the one before")
    run = place.admin.finished("the newest")
    assert place.admin.http.get("/status").json() == {name: run[name] for name in NAMED}
    none = place.other.http.get("/status").json()
    assert none.keys() == {"message"}
    assert "POST /agent_runs" in none["message"]


def test_readers_only_read(place):
    assert place.reader.http.get("/agent_runs").status_code == 200
    for address in ("/agent_runs", "/create_agent_run/plan/x", "/resume_agent_run/1/x", "/agent_runs/1/resume"):
        assert place.reader.http.post(address, json={"prompt": "x"}).status_code == 403
        assert place.nobody.http.post(address, json={"prompt": "x"}).status_code == 401


def test_the_list_is_chosen_by_status_engine_and_repository(admin):
    held = admin.create("hold", engine="held")
    admin.until(held["id"], lambda run: run["status"] == "RUNNING")
    admin.finished("done")
    runs = admin.url("/agent/runs")

    def listed(**wanted):
        page = admin.http.get(runs, params=wanted).json()
        assert page["total"] >= len(page["items"])
        return page["items"]

    assert held["id"] in [run["id"] for run in listed(status=["RUNNING", "PENDING"])]
    assert {run["engine"] for run in listed(engine="held")} == {"held"}
    assert {run["status"] for run in listed(status="COMPLETE", engine="echo", repo_id=held["repo_id"])} == {"COMPLETE"}
    assert listed(repo_id=999) == listed(engine="none") == []
    whole = listed()
    older = admin.http.get("/agent_runs", params={"before_id": whole[1]["id"], "limit": 3}).json()
    assert [run["id"] for run in older["items"]] == [run["id"] for run in whole[2:5]]
    assert older["total"] >= len(whole)
    assert admin.http.get(runs, params={"status": "done"}).status_code == 422
    admin.http.post(f"/v1/beta/organizations/{admin.org}/agent/run/stop", json={"agent_run_id": held["id"]})
