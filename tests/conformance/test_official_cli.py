"""The `codegen` command line, unchanged, against our server."""

import json
import re
import subprocess
import uuid

import pytest

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def codegen(official, live):
    """Runs `codegen ARGS`, signed in by `codegen login`; gives back what it printed."""
    folder = official("codegen==0.57.0")

    def run(*arguments, keys="", **variables):
        done = subprocess.run(
            [folder / "codegen", *arguments],
            env=live.environment | variables,
            cwd=live.home / "shop-project",
            input=keys,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("login", keys="q\n", CODEGEN_USER_ACCESS_TOKEN=live.token)  # signing in opens the text interface: leave it
    return run


def test_agent_creates_a_run_with_model_and_repository(codegen, live):
    printed = codegen("agent", "-p", "Who calls refund_order?", "--model", "any:model", "--repo-id", "1")
    run_id = int(re.search(r"Agent Run ID:\s*(\d+)", printed).group(1))
    run = live.wait_for_end(run_id)
    assert (run["status"], run["model"], run["repo_id"]) == ("COMPLETE", None, 1)  # the analyst works without one


def test_agent_shows_a_run_as_json(codegen, live):
    made = live.call("POST", "/v1/organizations/1/agent/run", {"prompt": "where is cancel defined?"})
    live.wait_for_end(made["id"])
    shown = json.loads(codegen("agent", "--id", str(made["id"]), "--json"))
    assert shown["id"] == made["id"]
    assert shown["github_pull_requests"] == []
    assert "shop/checkout.py:6" in shown["result"]


def test_agents_list_names_the_runs(codegen, live):
    made = live.call("POST", "/v1/organizations/1/agent/run", {"prompt": "overview"})
    assert str(made["id"]) in codegen("agents", "list")


def test_org_and_profile_name_the_organization(codegen, live):
    name = live.call("GET", "/v1/organizations")["items"][0]["name"]
    assert name in codegen("org", "--list")
    assert name in codegen("profile")


def test_repositories_are_listed(codegen, live):
    assert "shop-project" in codegen("repo", "--list-repos")


def test_integrations_are_listed(codegen, live):
    assert "github" in codegen("integrations", "list").lower()


CLAUDE_SESSION = """
import json, sys
from codegen.cli.commands.claude import claude_session_api as api
session = sys.argv[1]
run_id = api.create_claude_session(session, 1)
logged = api.send_claude_session_log(session, {"type": "assistant", "message": {"content": "hello"}}, 1)
ended = api.update_claude_session_status(session, "COMPLETE", 1)
print(json.dumps([run_id, logged, ended]))
"""


def test_claude_session_calls_make_a_run_with_a_log(official, live, codegen, tmp_path):
    done = subprocess.run(
        [official("codegen==0.57.0") / "python", "-c", CLAUDE_SESSION, str(uuid.uuid4())],
        env=live.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    run_id, logged, ended = json.loads(done.stdout.strip().splitlines()[-1])
    assert (logged, ended) == (True, True)
    found = live.call("GET", f"/v1/alpha/organizations/1/agent/run/{run_id}/logs")
    assert found["status"] == "COMPLETE"
    assert any("hello" in json.dumps(entry) for entry in found["logs"])
    assert live.call("GET", "/v1/organizations/1/cli/rules").keys() >= {"organization_rules", "user_custom_prompt"}
