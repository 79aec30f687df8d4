"""The routes of workflows: what they answer, and to whom."""

import time

import pytest

TASKS = [
    {"id": "a", "role": "testing", "prompt": "one"},
    {"id": "b", "role": "testing", "prompt": "two", "dependencies": ["a"]},
]
FLOW = {"id": "w", "name": "W", "roles": {"testing": ""}, "tasks": TASKS}


def create(caller, document=FLOW, status=200, **headers):
    answer = caller.http.post(caller.url("/workflows"), json=document, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def until(caller, workflow_id, done=lambda flow: flow["finished_at"]):
    deadline = time.monotonic() + 150
    while not done(flow := caller.http.get(caller.url(f"/workflows/{workflow_id}?results=true")).json()):
        assert time.monotonic() < deadline, flow
        time.sleep(0.02)
    return flow


def act(caller, workflow_id, what, **body):
    return caller.http.post(caller.url(f"/workflows/{workflow_id}/{what}"), json=body)


def test_a_workflow_is_started_watched_and_listed(place):
    begun = create(place.member)
    flow = until(place.reader, begun["id"])
    assert (flow["status"], flow["summary"]["success_rate"], flow["summary"]["total"]) == ("COMPLETE", 100.0, 2)
    first, second = flow["tasks"]
    assert (first["result"], second["result"]) == (
        "one",
        "two\n\nWhat the tasks before this one found:\n\n### a\n\none",
    )
    assert first["web_url"].endswith(f"/runs/{first['run_id']}")
    assert flow["definition"]["tasks"][0]["engine"] == "echo"
    run = place.member.read(first["run_id"])
    assert (run["metadata"]["workflow_id"], run["metadata"]["task"]) == (flow["id"], "a")
    listed = place.reader.http.get(place.reader.url("/workflows?limit=1")).json()
    assert (listed["items"][0]["id"], "tasks" in listed["items"][0]) == (flow["id"], False)


def test_how_long_it_took_is_in_the_metrics(place):
    until(place.member, create(place.member)["id"])
    told = 'gen_ai_invoke_workflow_duration_seconds_count{status="COMPLETE"}'
    deadline = time.monotonic() + 150
    while told not in place.admin.http.get("/metrics").text:
        assert time.monotonic() < deadline


def test_the_same_request_again_is_the_same_workflow(place):
    first = create(place.member, **{"Idempotency-Key": "flow-1"})
    again = create(place.member, **{"Idempotency-Key": "flow-1"})
    assert again["id"] == first["id"]
    create(place.member, FLOW | {"name": "X"}, 409, **{"Idempotency-Key": "flow-1"})
    assert until(place.member, first["id"])["summary"]["completed"] == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tasks": []}, "has no tasks"),
        ({"tasks": [TASKS[1]]}, "depends on 'a', which is no task"),
        ({"tasks": [TASKS[0] | {"engine": "nope"}]}, "Task 'a': There is no engine 'nope'. Engines here: echo, held."),
        ({"tasks": [TASKS[0] | {"prompt": "x" * 20_000}]}, "Task 'a': the prompt has 20000 bytes"),
        ({"tasks": [TASKS[0] | {"timeout": 1e9}]}, "Task 'a': a run may take 3600 s here"),
        ({"inputs": {"x": None}}, "The input 'x' has no text"),
        ({"tasks": [TASKS[0] | {"promt": "x"}]}, "promt"),
    ],
)
def test_a_workflow_that_cannot_be_run_is_refused(place, wrong, said):
    assert said in create(place.member, FLOW | wrong, 422)["message"]


def test_a_repository_that_is_not_there_is_refused(place):
    assert "no repository 99" in create(place.member, FLOW | {"tasks": [TASKS[0] | {"repo_id": 99}]}, 404)["message"]


def test_who_may_do_what(place):
    create(place.reader, status=403)
    create(place.nobody, status=401)
    mine = create(place.member)["id"]
    assert place.other.http.get(place.other.url(f"/workflows/{mine}")).status_code == 404
    assert act(place.other, mine, "cancel").status_code == 404
    assert act(place.reader, mine, "cancel").status_code == 403
    until(place.member, mine)


def test_a_task_waits_for_a_person(place):
    gated = create(place.member, FLOW | {"tasks": [TASKS[0], TASKS[1] | {"approval": True}]})["id"]
    flow = until(place.member, gated, lambda flow: flow["status"] == "PAUSED")
    assert [task["status"] for task in flow["tasks"]] == ["COMPLETE", "WAITING"]
    refused = act(place.member, gated, "approve", task="a")
    assert (refused.status_code, refused.headers["x-should-retry"]) == (409, "false")
    assert "Those that do: b." in refused.json()["message"]
    assert act(place.member, gated, "approve", task="b").json()["tasks"][1]["status"] in {"RUNNING", "COMPLETE"}
    assert until(place.member, gated)["status"] == "COMPLETE"


def test_a_workflow_is_cancelled_with_its_runs_and_begun_again(place):
    held = create(place.member, FLOW | {"tasks": [TASKS[0] | {"engine": "held"}, TASKS[1]]})
    assert (held["status"], [task["status"] for task in held["tasks"]]) == ("RUNNING", ["RUNNING", "PENDING"])
    cancelled = act(place.member, held["id"], "cancel").json()
    assert (cancelled["status"], [task["status"] for task in cancelled["tasks"]]) == ("CANCELLED", ["CANCELLED"] * 2)
    assert place.member.read(held["tasks"][0]["run_id"])["status"] == "CANCELLED"
    assert act(place.member, held["id"], "cancel").json()["status"] == "CANCELLED"
    again = act(place.member, held["id"], "retry").json()
    assert (again["status"], again["tasks"][0]["attempt"], again["finished_at"]) == ("RUNNING", 2, None)
    assert act(place.member, held["id"], "retry", task="a").status_code == 409
    run = until(place.member, held["id"], lambda flow: flow["tasks"][0]["run_id"])["tasks"][0]["run_id"]
    place.member.http.post(f"/v1/beta/organizations/{place.member.org}/agent/run/stop", json={"agent_run_id": run})
    flow = until(place.member, held["id"])
    assert (flow["status"], [task["status"] for task in flow["tasks"]]) == ("FAILED", ["CANCELLED", "SKIPPED"])


def test_a_workflow_that_has_ended_is_deleted_and_its_runs_stay(place):
    held = create(place.member, FLOW | {"tasks": [TASKS[0] | {"engine": "held"}]})
    at = place.member.url(f"/workflows/{held['id']}")
    assert place.member.http.delete(at).status_code == 409
    act(place.member, held["id"], "cancel")
    assert place.other.http.delete(place.other.url(f"/workflows/{held['id']}")).status_code == 404
    assert place.reader.http.delete(at).status_code == 403
    assert place.member.http.delete(at).json()["id"] == held["id"]
    assert place.member.http.get(at).status_code == 404
    assert place.member.read(held["tasks"][0]["run_id"])["status"] == "CANCELLED"
    assert create(place.member)["id"] > held["id"], "no id is given out again"
