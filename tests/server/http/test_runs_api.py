"""Creating, reading and stopping runs over HTTP, with good and bad input."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from contextlib import closing

import pytest

from contexten.client import AsyncCodegenClient, CodegenClient
from contexten.errors import NotFoundError

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def test_a_run_is_created_done_and_read(admin):
    created = admin.create("say hello", metadata={"mode": "test"}, images=[PIXEL])
    assert isinstance(created["id"], int)
    assert created["organization_id"] == admin.org
    assert created["status"] in {"PENDING", "RUNNING", "COMPLETE"}
    assert created["github_pull_requests"] == []
    assert created["web_url"] == f"{admin.base_url}/runs/{created['id']}"
    run = admin.until(created["id"])
    assert (run["status"], run["result"], run["summary"]) == ("COMPLETE", "say hello", "echoed")
    assert run["metadata"] == {"mode": "test"}
    assert run["source_type"] == "API"
    assert run["created_at"].endswith("Z")
    assert run["started_at"]
    assert run["finished_at"]


@pytest.mark.parametrize(
    "address", ["/v1/alpha/organizations/{}/agent/run/{}/logs", "/v1/organizations/{}/agent/run/{}/logs"]
)
def test_a_log_is_read_at_both_addresses(admin, address):
    run = admin.finished("log me")
    page = admin.http.get(address.format(admin.org, run["id"])).json()
    assert page["id"] == run["id"]
    assert [entry["message_type"] for entry in page["logs"]] == ["USER_MESSAGE", "ACTION", "FINAL_ANSWER"]
    assert (page["total_logs"], page["page"], page["pages"]) == (3, 1, 1)
    newest = admin.http.get(address.format(admin.org, run["id"]), params={"reverse": True, "limit": 1}).json()
    assert [entry["message_type"] for entry in newest["logs"]] == ["FINAL_ANSWER"]
    assert newest["pages"] == 3


def test_lists_are_paged_in_both_ways(admin):
    ids = [admin.finished(f"page {number}")["id"] for number in range(3)][::-1]
    skipped = admin.http.get(admin.url("/agent/runs"), params={"skip": 1, "limit": 2}).json()
    assert [run["id"] for run in skipped["items"]] == ids[1:]
    assert skipped["total"] >= 3
    for size in ("size", "per_page"):
        paged = admin.http.get(admin.url("/agent/runs"), params={"page": 1, size: 2}).json()
        assert [run["id"] for run in paged["items"]] == ids[:2]
        assert (paged["page"], paged["size"]) == (1, 2)
    mine = admin.http.get(
        admin.url("/agent/runs"), params={"user_id": skipped["items"][0]["user_id"], "source_type": "API"}
    )
    assert mine.json()["total"] == skipped["total"]
    nobody = admin.http.get(admin.url("/agent/runs"), params={"user_id": 2**63 - 1}).json()
    assert (nobody["items"], nobody["total"], nobody["pages"]) == ([], 0, 1)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 101}, {"skip": -1}, {"skip": 2**63}, {"limit": "many"}, {"page": 0}, {"page": 2**40},
        {"page": 1, "skip": 5}, {"size": 3, "limit": 4}, {"source_type": "MOON"}, {"user_id": 2**64}, {"user_id": "me"},
    ],
)  # fmt: skip
def test_bad_paging_is_told(admin, query):
    answer = admin.http.get(admin.url("/agent/runs"), params=query)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], list)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": " \n\t"}, "the prompt is empty"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "x" * 10_001}, "the prompt has 10001 bytes; this server accepts 10000"),
        ({"prompt": "p", "engine": "warp"}, "There is no engine 'warp'. Engines here: echo, held."),
        ({"prompt": "p", "agent_type": "claude_code"}, "Engines here: echo, held."),
        ({"prompt": "p", "agent_type": "robot"}, "agent_type"),
        ({"prompt": "p", "images": ["http://example.org/a.png"]}, "not an image"),
        ({"prompt": "p", "images": ["data:image/png;base64,?"]}, "not an image"),
        ({"prompt": "p", "metadata": [1]}, "metadata"),
        ({"prompt": "p", "metadata": {"m": "x" * 65_536}}, "the metadata have 65545 characters of JSON; this server"),
        ({"prompt": "p", "model": "m" * 201}, "longer than 200 characters"),
        ({"prompt": "p", "repo_id": 2**70}, "repo_id"),
        ({"prompt": "p", "repo_id": "one"}, "repo_id"),
        ({"prompt": "p", "timeout": 0}, "timeout"),
        ({"prompt": "p", "timeout": 1e9}, "a run may take 3600 s here"),
        ([], "body"),
        ("prompt", "body"),
        (None, "body"),
    ],
)
def test_a_body_that_cannot_be_used_is_told(admin, body, says):
    answer = admin.http.post(admin.url("/agent/run"), json=body)
    problem = answer.json()
    assert (answer.status_code, problem["status_code"]) == (422, 422)
    assert says in problem["message"]
    assert {"loc", "msg", "type"} == problem["detail"][0].keys()


@pytest.mark.parametrize(
    "text",
    ['{"prompt": NaN}', '{"prompt": "p", "metadata": {"n": NaN}}', '{"prompt": "p", "metadata": {"n": Infinity}}',
     '{"prompt": "p", "metadata": {"n": 1e999}}', '{"prompt": "\\ud800"}', "{", "", "[" * 100_000, b"\xff\xfe{}",
     '{"prompt": "p", "repo_id": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_json_that_nothing_could_store_is_refused(admin, text):
    content = text if isinstance(text, bytes) else text.encode()
    answer = admin.http.post(
        admin.url("/agent/run"), content=content[:90_000], headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text


def test_odd_text_survives(admin):
    prompt = "nul \0, emoji 🦀, right-to-left \u202e, line\r\nend"
    run = admin.finished(prompt, metadata={"n": 2**80, "f": math.pi, "deep": {"er": [None, True]}})
    assert run["prompt"] == prompt.replace("\0", "\ufffd")
    assert run["metadata"] == {"n": 2**80, "f": math.pi, "deep": {"er": [None, True]}}


@pytest.mark.parametrize("run_id", [0, -1, 999_999, 2**63 - 1])
def test_a_run_that_is_not_there_is_404(admin, run_id):
    for answer in (
        admin.http.get(admin.url(f"/agent/run/{run_id}")),
        admin.http.get(admin.url(f"/agent/run/{run_id}/logs")),
        admin.http.get(admin.url(f"/agent/run/{run_id}/events")),
        admin.http.post(admin.url("/agent/run/resume"), json={"agent_run_id": run_id, "prompt": "more"}),
        admin.http.post(admin.url("/agent/run/ban"), json={"agent_run_id": run_id}),
    ):
        assert answer.status_code == 404, answer.text
        assert str(run_id) in answer.json()["message"]


@pytest.mark.parametrize("run_id", [2**63, 10**30, "abc", "1.5"])
def test_an_id_that_cannot_be_one_is_422(admin, run_id):
    assert admin.http.get(admin.url(f"/agent/run/{run_id}")).status_code == 422
    body = json.dumps({"agent_run_id": run_id, "prompt": "more"})
    answer = admin.http.post(admin.url("/agent/run/resume"), content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_a_key_makes_a_create_happen_once(admin):
    def create(prompt, key="a-key"):
        return admin.http.post(admin.url("/agent/run"), json={"prompt": prompt}, headers={"Idempotency-Key": key})

    first, again, other = create("once"), create("once"), create("twice")
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409
    assert other.headers["x-should-retry"] == "false"
    assert create("once", "another-key").json()["id"] != first.json()["id"]
    assert create("once", "k" * 300).status_code == 422


def test_a_run_goes_on_with_a_new_prompt(admin):
    run = admin.finished("first")
    for number, address in enumerate(
        ("/v1/organizations/{}/agent/run/resume", "/v1/beta/organizations/{}/agent/run/resume"), 2
    ):
        answer = admin.http.post(
            address.format(admin.org), json={"agent_run_id": run["id"], "prompt": f"turn {number}"}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["turn"] == number
        assert admin.until(run["id"])["result"] == f"turn {number}"
    empty = admin.http.post(admin.url("/agent/run/resume"), json={"agent_run_id": run["id"], "prompt": " "})
    assert empty.status_code == 422


def test_a_run_at_work_is_not_resumed_but_can_be_stopped(admin):
    run = admin.create(engine="held")
    busy = admin.http.post(admin.url("/agent/run/resume"), json={"agent_run_id": run["id"], "prompt": "more"})
    assert busy.status_code == 409
    assert (busy.headers["x-should-retry"], busy.headers["Retry-After"]) == ("true", "1")
    admin.until(run["id"], lambda run: run["log_count"] == 2)
    stop = f"/v1/beta/organizations/{admin.org}/agent/run/stop"
    stopped = admin.http.post(stop, json={"agent_run_id": run["id"]}).json()
    assert stopped["status"] == "CANCELLED"
    again = admin.http.post(stop, json={"agent_run_id": run["id"]}).json()
    assert (again["status"], again["finished_at"]) == ("CANCELLED", stopped["finished_at"])


def test_a_banned_run_is_stopped_and_stays_so(admin):
    run = admin.create(engine="held")
    for verb in ("ban", "remove-from-pr"):
        banned = admin.http.post(admin.url(f"/agent/run/{verb}"), json={"agent_run_id": run["id"]}).json()
        assert (banned["status"], banned["banned"]) == ("STOPPED", True)
    resume = {"agent_run_id": run["id"], "prompt": "more"}
    refused = admin.http.post(admin.url("/agent/run/resume"), json=resume)
    assert refused.status_code == 409
    assert refused.headers["x-should-retry"] == "false"
    assert "Retry-After" not in refused.headers
    assert "unban" in refused.json()["message"]
    unbanned = admin.http.post(admin.url("/agent/run/unban"), json={"agent_run_id": run["id"]}).json()
    assert (unbanned["status"], unbanned["banned"]) == ("STOPPED", False)
    assert admin.http.post(admin.url("/agent/run/resume"), json=resume).status_code == 200


def test_a_run_that_has_ended_is_deleted_for_good(admin):
    before = admin.http.get(admin.url("/agent/runs")).json()["total"]
    run = admin.finished("axolotl")
    deleted = admin.http.delete(admin.url(f"/agent/run/{run['id']}"))
    assert (deleted.status_code, deleted.json()) == (200, run)
    for path in ("", "/logs", "/events"):
        assert admin.http.get(admin.url(f"/agent/run/{run['id']}{path}")).status_code == 404
    assert admin.http.delete(admin.url(f"/agent/run/{run['id']}")).status_code == 404
    assert admin.http.get(admin.url("/agent/runs/search"), params={"q": "axolotl"}).json()["items"] == []
    assert admin.http.get(admin.url("/agent/runs")).json()["total"] == before
    assert admin.finished("the next")["id"] == run["id"] + 1


def test_a_run_at_work_is_deleted_only_once_it_is_stopped(admin):
    run = admin.create(engine="held")
    admin.until(run["id"], lambda run: run["log_count"] == 2)
    refused = admin.http.delete(admin.url(f"/agent/run/{run['id']}"))
    assert refused.status_code == 409
    assert refused.headers["x-should-retry"] == "false"
    assert refused.json()["message"] == (
        f"Run {run['id']} is RUNNING. Cancel it, or wait for it to end, before you delete it."
    )
    admin.http.post(f"/v1/beta/organizations/{admin.org}/agent/run/stop", json={"agent_run_id": run["id"]})
    assert admin.http.delete(admin.url(f"/agent/run/{run['id']}")).status_code == 200
    assert admin.finished("others go on")["status"] == "COMPLETE"


def test_both_clients_delete(admin):
    async def afterwards(run_id):
        async with AsyncCodegenClient(**access) as client:
            return await client.delete_agent_run(run_id)

    access = {"base_url": admin.base_url, "token": admin.token, "org_id": admin.org}
    with CodegenClient(**access) as client:
        assert client.delete_agent_run(admin.finished("one")["id"]).result == "one"
        with pytest.raises(NotFoundError):
            client.delete_agent_run(999_999)
    assert asyncio.run(afterwards(admin.finished("two")["id"])).result == "two"


def test_a_member_deletes_only_runs_of_the_own_user(place):
    """All tokens of this server act for one user, so another one is put in from behind."""
    mine, other = place.member.finished("mine"), place.member.finished("another's")
    assert place.member.http.delete(place.member.url(f"/agent/run/{mine['id']}")).status_code == 200
    with closing(sqlite3.connect(place.database, timeout=60)) as database, database:
        database.execute("INSERT INTO users (id, login, created_at) VALUES (77, 'another', 0)")
        database.execute("UPDATE runs SET user_id = 77 WHERE id = ?", [other["id"]])
    refused = place.member.http.delete(place.member.url(f"/agent/run/{other['id']}"))
    assert refused.status_code == 403
    assert "another user's" in refused.json()["message"]
    assert place.admin.read(other["id"])["result"] == "another's"
    with closing(sqlite3.connect(place.database, timeout=60)) as database, database:
        database.execute("UPDATE runs SET user_id = ? WHERE id = ?", [other["user_id"], other["id"]])
    assert place.admin.http.delete(place.admin.url(f"/agent/run/{other['id']}")).status_code == 200


def test_runs_are_found_by_their_words(admin):
    run = admin.finished('the "quokka" AND (sings')
    found = admin.http.get(admin.url("/agent/runs/search"), params={"q": "quokka sings"}).json()
    assert [hit["run"]["id"] for hit in found["items"]][:1] == [run["id"]]
    assert "quokka" in found["items"][0]["snippet"]
    for odd in ('"', "AND", "a*", "(", "%", "_", "\0", "--", "quokka NEAR"):
        assert admin.http.get(admin.url("/agent/runs/search"), params={"q": odd}).status_code in {200, 422}
    bad = admin.http.get(admin.url("/agent/runs/search"), params={"q": "x", "cursor": "not-a-cursor"})
    assert bad.status_code == 422
    assert admin.http.get(admin.url("/agent/runs/search")).status_code == 422


def test_a_run_is_read_at_its_web_address(place):
    run = place.admin.finished()
    assert place.admin.http.get(f"/runs/{run['id']}").json() == run
    assert place.other.http.get(f"/runs/{run['id']}").status_code == 404
    assert place.nobody.http.get(f"/runs/{run['id']}").status_code == 401
