"""`codegen.Agent` and `codegen_api_client`, unchanged, against our server."""

import json
import os
import subprocess

import pytest

pytestmark = pytest.mark.conformance

QUICK = ("0.57.0", "0.56.2")
MATRIX = ("0.54.1", "0.55.7", "0.56.2", "0.56.3", "0.56.27", "0.57.0")
VERSIONS = MATRIX if os.environ.get("CONFORMANCE_MATRIX") else QUICK

RUN_TO_ITS_END = """
import json, os, time
from codegen.agents.agent import Agent
agent = Agent(os.environ["CODEGEN_API_TOKEN"], 1, base_url=os.environ["CODEGEN_BASE_URL"])
task = agent.run("Who calls refund_order?")
first = {"id": task.id, "web_url": task.web_url, "status": task.status}
deadline = time.monotonic() + 150
while task.status not in ("COMPLETE", "FAILED", "ERROR") and time.monotonic() < deadline:
    task.refresh()
    time.sleep(0.05)
print(json.dumps({"first": first, "status": task.status, "result": task.result, "current": agent.get_status()}))
"""

DEFAULT_ADDRESS = """
from codegen.agents.agent import Agent
import os
task = Agent(os.environ["CODEGEN_API_TOKEN"], 1).run("overview")
print(task.web_url)
"""

GENERATED_CLIENT = """
import json, os, time
import codegen_api_client as c
config = c.Configuration(host=os.environ["CODEGEN_BASE_URL"])
header = "Bearer " + os.environ["CODEGEN_API_TOKEN"]
with c.ApiClient(config) as http:
    agents, people, organizations = c.AgentsApi(http), c.UsersApi(http), c.OrganizationsApi(http)
    made = agents.create_agent_run_v1_organizations_org_id_agent_run_post(
        org_id=1, create_agent_run_input=c.CreateAgentRunInput(prompt="where is refund_order defined?"), authorization=header)
    deadline = time.monotonic() + 150
    while True:
        run = agents.get_agent_run_v1_organizations_org_id_agent_run_agent_run_id_get(
            agent_run_id=made.id, org_id=1, authorization=header)
        if run.status == "COMPLETE" or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    orgs = organizations.get_organizations_v1_organizations_get(authorization=header)
    users = people.get_users_v1_organizations_org_id_users_get(org_id="1", authorization=header)
    user = people.get_user_v1_organizations_org_id_users_user_id_get(
        org_id="1", user_id=str(users.items[0].id), authorization=header)
    try:
        agents.get_agent_run_v1_organizations_org_id_agent_run_agent_run_id_get(
            agent_run_id=987654, org_id=1, authorization=header)
        absent = 200
    except c.ApiException as error:
        absent = error.status
    print(json.dumps({"status": run.status, "result": run.result, "orgs": [o.id for o in orgs.items],
                      "login": user.github_username, "absent": absent}))
"""


def run_program(bin_folder, program, live, tmp_path):
    done = subprocess.run(
        [bin_folder / "python", "-c", program],
        env=live.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_is_created_followed_and_ended(version, official, live, tmp_path):
    answer = json.loads(run_program(official(f"codegen=={version}"), RUN_TO_ITS_END, live, tmp_path))
    assert isinstance(answer["first"]["id"], int)
    assert answer["first"]["web_url"] == f"{live.base_url}/runs/{answer['first']['id']}"
    assert answer["first"]["status"]
    assert answer["status"] == "COMPLETE"
    assert "shop/checkout.py:8" in answer["result"]
    assert answer["current"]["result"] == answer["result"]


def test_the_printed_example_prints_the_runs_address(official, live, tmp_path):
    printed = run_program(official("codegen==0.57.0"), DEFAULT_ADDRESS, live, tmp_path)
    assert printed.startswith(f"{live.base_url}/runs/")


def test_the_same_on_the_newest_python_it_supports(official, live, tmp_path):
    answer = json.loads(run_program(official("codegen==0.57.0", "3.13"), RUN_TO_ITS_END, live, tmp_path))
    assert answer["status"] == "COMPLETE"


def test_the_generated_client(official, live, tmp_path):
    answer = json.loads(run_program(official("codegen-api-client==1.0.0"), GENERATED_CLIENT, live, tmp_path))
    assert answer["status"] == "COMPLETE"
    assert "shop/refunds.py:4" in answer["result"]
    assert answer["orgs"] == [1]
    assert answer["login"]
    assert answer["absent"] == 404
