"""The rest of the API: people, organizations, tokens, repositories, integrations, sessions, what is hosted only."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contexten.protocol import Role


def test_people_and_organizations(admin):
    me = admin.http.get("/v1/users/me").json()
    assert isinstance(me["id"], int)
    assert isinstance(me["github_user_id"], str)
    assert admin.http.get(admin.url(f"/users/{me['id']}")).json() == me
    assert me in admin.http.get(admin.url("/users")).json()["items"]
    assert admin.http.get(admin.url("/users/999")).status_code == 404
    organizations = admin.http.get("/v1/organizations").json()
    assert [organization["id"] for organization in organizations["items"]] == [admin.org]
    assert organizations["items"][0]["settings"].keys() >= {"enable_pr_creation", "enable_rules_detection"}


def test_a_token_is_made_used_and_revoked(admin):
    made = admin.http.post(admin.url("/tokens"), json={"name": "short", "role": "READ_ONLY"}).json()
    assert made["token"].startswith(made["prefix"])
    bearer = {"Authorization": f"bearer {made['token']}"}
    assert admin.http.get("/v1/users/me", headers=bearer).status_code == 200
    listed = admin.http.get(admin.url("/tokens")).json()
    assert "token" not in listed[-1]
    assert made["token"] not in admin.http.get(admin.url("/tokens")).text
    assert admin.http.delete(admin.url(f"/tokens/{made['id']}")).json()["revoked_at"]
    refused = admin.http.get("/v1/users/me", headers=bearer)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert made["token"] not in refused.text


def test_the_last_admin_stays(place):
    tokens = place.other.http.get(place.other.url("/tokens")).json()
    assert [token["role"] for token in tokens] == [Role.ADMIN]
    answer = place.other.http.delete(place.other.url(f"/tokens/{tokens[0]['id']}"))
    assert answer.status_code == 409
    assert answer.headers["x-should-retry"] == "false"


def test_only_the_first_organization_makes_others(place):
    assert place.other.http.post("/v1/organizations", json={"name": "third"}).status_code == 403


def test_repositories_are_added_listed_and_removed(admin, tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").write_text("x = 1\n")
    body = {"location": str(tmp_path / "shop")}
    added = admin.http.post(admin.url("/repos"), json=body).json()
    assert (added["name"], added["path"], added["language"]) == ("shop", str(tmp_path / "shop"), "Python")
    assert admin.http.post(admin.url("/repos"), json=body).json()["id"] == added["id"]
    for address in ("/repos", "/repositories"):
        assert added in admin.http.get(admin.url(address)).json()["items"]
    assert admin.create(repo_id=added["id"])["repo_id"] == added["id"]
    assert admin.http.delete(admin.url(f"/repos/{added['id']}")).json()["id"] == added["id"]
    assert admin.http.delete(admin.url(f"/repos/{added['id']}")).status_code == 404
    gone = admin.http.post(admin.url("/agent/run"), json={"prompt": "p", "repo_id": added["id"]})
    assert gone.status_code == 404


def test_without_the_folder_it_was_started_in_runs_work_on_the_first_that_is_left(admin, tmp_path):
    other = admin.http.post(admin.url("/repos"), json={"location": str(tmp_path)}).json()
    for repo in admin.http.get(admin.url("/repos")).json()["items"]:
        if repo != other:
            assert admin.http.delete(admin.url(f"/repos/{repo['id']}")).is_success
    assert admin.create()["repo_id"] == other["id"]


@pytest.fixture
def address(tmp_path):
    """A git address that can be cloned."""
    folder = tmp_path / "origin" / "shop.git"
    subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
    return f"file://{folder}"


def test_an_address_is_cloned_once(admin, address):
    def add(location):
        return admin.http.post(admin.url("/repos"), json={"location": location}).json()

    with ThreadPoolExecutor() as pool:
        first, *others = pool.map(add, [address, address, f"{address}/"])
    assert (first["name"], first["url"]) == ("shop", address)
    assert [other["id"] for other in others] == [first["id"]] * 2
    assert len(list(Path(first["path"]).parent.iterdir())) == 1


def test_a_clone_that_is_gone_is_made_again(admin, address):
    first = admin.http.post(admin.url("/repos"), json={"location": address}).json()
    shutil.rmtree(first["path"])
    again = admin.http.post(admin.url("/repos"), json={"location": address}).json()
    assert Path(again["path"]).is_dir()
    listed = admin.http.get(admin.url("/repos")).json()["items"]
    assert [repo["id"] for repo in listed if repo["url"] == address] == [again["id"]]


def test_a_run_has_its_own_clone_where_another_worker_cloned_the_address(place, address):
    store, clones = place.server._server._services.store, place.database.parent / "repos"
    before = set(clones.glob("*"))
    path = "/on/another/machine/repos/shop"
    repo = asyncio.run(store.repos.add(1, path=path, name="shop", url=address))
    run = place.admin.finished("hello", engine="echo", repo_id=repo.id)
    assert (run["status"], run["result"]) == ("COMPLETE", "hello")
    (made,) = set(clones.glob("*")) - before
    assert made.name.startswith("shop-")


@pytest.mark.parametrize(
    "location", ["relative/path", "/does/not/exist", "ext::sh -c id", "--upload-pack=x", "ftp://a/b"]
)
def test_a_location_that_is_not_one_is_refused(admin, location):
    answer = admin.http.post(admin.url("/repos"), json={"location": location})
    assert answer.status_code == 422, answer.text


def test_check_settings_keep_what_is_not_given(admin):
    repo = admin.http.get(admin.url("/repos")).json()["items"][0]["id"]
    address, query = admin.url("/repos/check-suite-settings"), {"repo_id": repo}
    before = admin.http.get(address, params=query).json()
    changed = admin.http.put(address, params=query, json={"check_retry_count": 5, "ignored_checks": ["lint"]}).json()
    assert changed == {**before, "check_retry_count": 5, "ignored_checks": ["lint"]}
    assert admin.http.get(address, params=query).json() == changed
    assert admin.http.put(address, params=query, json={"check_retry_count": 11}).status_code == 422
    assert admin.http.get(address, params={"repo_id": 999}).status_code == 404


def test_integrations_are_what_there_is(admin):
    found = admin.http.get(admin.url("/integrations")).json()
    active = [each["integration_type"] for each in found["integrations"] if each["active"]]
    assert active == ["local"]
    assert found["total_active_integrations"] == 1


def test_set_up_commands_are_a_run(admin):
    repo = admin.http.get(admin.url("/repos")).json()["items"][0]["id"]
    made = admin.http.post(admin.url("/setup-commands/generate"), json={"repo_id": repo, "prompt": "use make"}).json()
    run = admin.until(made["agent_run_id"])
    assert run["source_type"] == "SETUP_COMMANDS"
    assert run["prompt"].endswith("use make")
    assert made["url"] == run["web_url"]


def test_a_claude_code_session_is_a_run(admin):
    made = admin.http.post(admin.url("/claude_code/session"), json={"session_id": "s/1 ✓"})
    assert made.status_code == 200
    run_id = made.json()["agent_run_id"]
    assert admin.http.post(admin.url("/claude_code/session"), json={"session_id": "s/1 ✓"}).json() == made.json()
    assert (
        admin.http.post(admin.url("/claude_code/session"), json={"session_id": "two"}).json()["agent_run_id"] != run_id
    )
    lines = [
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "hi"}]}},
        {"message_type": "ERROR"},
        {},
    ]
    for line in lines:
        answer = admin.http.post(admin.url("/claude_code/session/two/log"), json={"log": line})
        assert answer.status_code == 200, answer.text
    two = answer.json()["agent_run_id"]
    page = admin.http.get(admin.url(f"/agent/run/{two}/logs")).json()
    assert [(entry["message_type"], entry["thought"]) for entry in page["logs"]][-3:] == [
        ("ACTION", "hi"), ("ERROR", None), ("ACTION", None),
    ]  # fmt: skip
    assert [entry["observation"] for entry in page["logs"]][-3:] == lines
    done = admin.http.post(admin.url("/claude_code/session/two/status"), json={"status": "completed"})
    assert done.status_code == 200, done.text
    assert admin.read(two)["status"] == "COMPLETE"
    assert admin.http.post(admin.url("/claude_code/session/two/status"), json={"status": "dancing"}).status_code == 422
    assert admin.http.post(admin.url("/claude_code/session/none/log"), json={"log": {}}).status_code == 404


def test_a_reported_session_that_was_stopped_here_stays_so_and_is_not_resumed(admin):
    run_id = admin.http.post(admin.url("/claude_code/session"), json={"session_id": "mine"}).json()["agent_run_id"]
    stop = f"/v1/beta/organizations/{admin.org}/agent/run/stop"
    stopped = admin.http.post(stop, json={"agent_run_id": run_id}).json()
    report = admin.http.post(admin.url("/claude_code/session/mine/status"), json={"status": "RUNNING"})
    resume = admin.http.post(admin.url("/agent/run/resume"), json={"agent_run_id": run_id, "prompt": "more"})
    for refused in (report, resume):
        assert (refused.status_code, refused.headers["x-should-retry"]) == (409, "false")
        assert "Retry-After" not in refused.headers
    assert admin.read(run_id) == stopped
    assert admin.http.post(admin.url("/claude_code/session/mine/log"), json={"log": {"late": True}}).status_code == 200


def test_rules_are_empty_and_providers_none(admin):
    rules = admin.http.get(admin.url("/cli/rules")).json()
    assert rules == {"organization_rules": None, "user_custom_prompt": None}
    assert admin.http.get("/v1/mcp-providers").json() == []
    assert admin.http.get("/v1/oauth/tokens/status", params={"org_id": admin.org}).json() == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/organizations/1/prs/5", {"state": "closed"}),
        ("PATCH", "/v1/organizations/1/repos/1/prs/5", {"state": "closed"}),
        ("POST", "/v1/organizations/1/sandbox/5/analyze-logs", None),
        ("POST", "/v1/slack-connect/generate-token", {"org_id": 1}),
        ("POST", "/v1/oauth/tokens/revoke?provider=linear&org_id=1", None),
    ],
)
def test_what_only_the_hosted_service_has_is_told(admin, method, path, body):
    answer = admin.http.request(method, path, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["status_code"]) == (501, 501)
    assert "hosted service" in problem["message"]


def test_engines_and_health(place):
    engines = place.reader.http.get("/v1/engines").json()
    assert [(engine["name"], engine["ready"], engine["default"]) for engine in engines] == [
        ("echo", True, True), ("held", False, False),
    ]  # fmt: skip
    health = place.nobody.http.get("/health")
    assert health.status_code == 200
    assert health.json()["engines"] == {"echo": True, "held": False}
    assert health.json()["configuration"] == {"engine": "echo", "ready": True, "model": False}
    assert health.json()["database"] == "sqlite"
    assert health.headers["Contexten-Version"] == health.json()["version"]
