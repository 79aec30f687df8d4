"""What a run changed, over HTTP: as JSON and as a patch, however the run ended, and for nobody else."""

import asyncio
import json
import shutil
import subprocess

import pytest

from contexten.client import AsyncCodegenClient, CodegenClient
from editing_engine import Editing
from running_server import running
from shop_project import commit_all, make_project
from waiting import until


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diffs")
    repo = make_project(folder / "shop", {"a.py": "one\ntwo\n"})
    commit_all(repo, "first")
    editing = Editing(folder / "data")
    with running(folder, more_engines=[editing], CONTEXTEN_REPO=repo) as place:
        place.editing = editing
        place.repo = repo
        place.copies = folder / "data" / "checkouts"
        yield place


def edit(caller, end="well", **files):
    return caller.create(json.dumps({"end": end, **files}), engine="editing")["id"]


def diff(caller, run_id, **headers):
    return caller.http.get(caller.url(f"/agent/run/{run_id}/diff"), headers=headers)


def kept(caller, run_id):
    """What is known once something is: a cancelled engine gets a moment to end."""
    answers = []
    caller.until(run_id, lambda _: answers.append(diff(caller, run_id).json()) or answers[-1]["files"], 150)
    return answers[-1]


def test_it_is_answered_as_json_and_as_a_patch(admin, place):
    run_id = edit(admin, **{"a.py": "one\nTWO\n", "new/b.py": "x\n"})
    admin.until(run_id)
    found = diff(admin, run_id).json()
    assert found["agent_run_id"] == run_id
    assert (found["turn"], found["branch"]) == (1, f"contexten/run-{run_id}")
    assert (found["insertions"], found["deletions"], found["truncated"]) == (2, 1, False)
    assert found["files"][1] == {
        "path": "new/b.py", "status": "added", "insertions": 1, "deletions": 0,
        "binary": False, "previous": None, "omitted": False,
    }  # fmt: skip
    answer = diff(admin, run_id, Accept="text/x-diff")
    assert answer.headers["content-type"] == "text/x-diff; charset=utf-8"
    assert answer.text == found["patch"]
    subprocess.run(["git", "-C", place.repo, "apply", "--check"], input=answer.content, check=True)
    assert (place.repo / "a.py").read_text() == "one\ntwo\n"


def test_a_run_that_changed_nothing_has_an_empty_one(admin):
    run_id = admin.finished()["id"]
    found = diff(admin, run_id).json()
    assert (found["patch"], found["files"], found["branch"]) == ("", [], None)
    assert diff(admin, run_id, Accept="text/x-diff").text == ""


def test_it_is_for_the_runs_own_organization(admin, place):
    run_id = edit(admin, **{"a.py": "mine\n"})
    admin.until(run_id)
    assert diff(place.reader, run_id).status_code == 200
    assert diff(place.nobody, run_id).status_code == 401
    assert diff(place.other, run_id).status_code == 404
    assert diff(admin, 10**6).status_code == 404
    foreign = place.other.http.get(admin.url(f"/agent/run/{run_id}/diff"))
    assert foreign.status_code == 404


def test_a_later_turn_goes_on_in_the_same_copy(admin):
    run_id = edit(admin, **{"a.py": "first\n", "b.py": "b\n"})
    admin.until(run_id)
    more = {"agent_run_id": run_id, "prompt": json.dumps({"b.py": None, "c.py": "c\n"})}
    assert admin.http.post(admin.url("/agent/run/resume"), json=more).status_code == 200
    admin.until(run_id)
    found = diff(admin, run_id).json()
    assert found["turn"] == 2
    assert [(file["path"], file["status"]) for file in found["files"]] == [("a.py", "modified"), ("c.py", "added")]


def test_a_run_that_builds_on_others_has_a_diff_of_its_own(admin, place):
    first = edit(admin, **{"a.py": "one\ntwo\nthree\n"})
    admin.until(first)
    metadata = {"builds_on": [first, 10**6, "x"]}
    prompt = json.dumps({"b.py": "b\n"})
    second = admin.create(prompt, engine="editing", metadata=metadata)["id"]
    assert admin.until(second)["status"] == "COMPLETE"
    assert [file["path"] for file in diff(admin, second).json()["files"]] == ["b.py"]
    assert (place.copies / str(admin.org) / str(second) / "work" / "a.py").read_text() == "one\ntwo\nthree\n"
    repo = place.other.http.get(place.other.url("/repos")).json()["items"][0]["id"]
    foreign = place.other.create(prompt, engine="editing", metadata=metadata, repo_id=repo)["id"]
    assert place.other.until(foreign)["status"] == "COMPLETE"
    assert (place.copies / str(place.other.org) / str(foreign) / "work" / "a.py").read_text() == "one\ntwo\n"


def test_what_was_done_until_a_failure_is_kept(admin):
    run_id = edit(admin, "badly", **{"a.py": "half\n"})
    assert admin.until(run_id)["status"] == "FAILED"
    assert kept(admin, run_id)["insertions"] == 1


def test_what_was_done_until_a_cancel_is_kept(admin):
    run_id = edit(admin, "never", **{"a.py": "stopped\n"})
    admin.until(run_id, lambda run: run["log_count"] > 1)
    admin.http.post("/v1/beta" + admin.url("/agent/run/stop").removeprefix("/v1"), json={"agent_run_id": run_id})
    assert kept(admin, run_id)["insertions"] == 1


def test_deleting_a_run_deletes_its_copy(admin, place):
    run_id = edit(admin, **{"a.py": "gone\n"})
    admin.until(run_id)
    copy = place.copies / str(admin.org) / str(run_id)
    assert (copy / "work" / "a.py").read_text() == "gone\n"
    assert admin.http.delete(admin.url(f"/agent/run/{run_id}")).status_code == 200
    assert not copy.exists()
    assert diff(admin, run_id).status_code == 404


def test_a_run_deleted_while_its_engine_ends_leaves_no_copy(admin, place):
    run_id = edit(admin, "late", **{"a.py": "late\n"})
    admin.until(run_id, lambda run: run["log_count"] > 1)
    admin.http.post("/v1/beta" + admin.url("/agent/run/stop").removeprefix("/v1"), json={"agent_run_id": run_id})
    assert admin.http.delete(admin.url(f"/agent/run/{run_id}")).status_code == 200
    place.editing.may_end.set()
    copies = place.copies / str(admin.org)
    until(lambda: place.editing.ended.is_set() and not [each for each in copies.iterdir() if str(run_id) in each.name])


def test_both_clients_read_it(admin):
    run_id = edit(admin, **{"a.py": "client\n"})
    admin.until(run_id)
    options = {"base_url": admin.base_url, "token": admin.token, "org_id": admin.org}
    with CodegenClient(**options) as client:
        found = client.get_agent_run_diff(run_id)
    assert found.files[0].path == found["files"][0]["path"] == "a.py"

    async def read():
        async with AsyncCodegenClient(**options) as client:
            return await client.get_agent_run_diff(run_id)

    assert asyncio.run(read()) == found


def test_the_description_tells_both_forms(admin):
    paths = admin.http.get("/openapi.json").json()["paths"]
    answers = paths["/v1/organizations/{org_id}/agent/run/{agent_run_id}/diff"]["get"]["responses"]
    content = answers["200"]["content"]
    assert content["text/x-diff"]["schema"] == {"type": "string"}
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/AgentRunDiff"}


def test_a_turn_on_a_worker_without_the_copy_begins_with_what_the_run_has_changed(admin, place):
    run_id = edit(admin, **{"first.py": "1\n"})
    admin.until(run_id)
    shutil.rmtree(place.copies / str(admin.org) / str(run_id))  # as it is on another machine
    body = {"agent_run_id": run_id, "prompt": json.dumps({"second.py": "2\n"})}
    admin.http.post(admin.url("/agent/run/resume"), json=body)
    assert admin.until(run_id)["status"] == "COMPLETE"
    assert [file["path"] for file in diff(admin, run_id).json()["files"]] == ["first.py", "second.py"]
