"""Workflows from a program: on a server of ours, which runs them by itself, and on a hosted one, where they are interpreted."""

import asyncio

import pytest

from contexten import AsyncWorkflowOrchestrator, EnhancedAgent, WorkflowBuilder, WorkflowOrchestrator
from contexten.errors import ApiError, NotFoundError, UsageError, WorkflowError
from contexten.resilience import Policy, Retry
from contexten.workflows import AgentRole
from fault_proxy import FakeClock
from hosted_server import ORG, TOKEN, Hosted, served
from running_server import running
from server.queue.patience import until


class Auditor(AgentRole):
    def get_system_prompt(self):
        return "You audit."


def audit(**task):
    return (
        WorkflowBuilder("audit", "Audit")
        .add_input("what")
        .add_task("look", "Look", "security_audit", "Look at {{ inputs.what }}")
        .add_task("prove", "Prove", "security_audit", "Prove: {{ results.look }}", ["look"], **task)
        .add_task("report", "Report", "documentation", "Report", dependencies=["look", "prove"])
        .build()
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("flows")) as place:
        yield place


@pytest.fixture
def hosted():
    state = Hosted()
    state.script = ["!COMPLETE"]
    with served(state.app) as base_url:
        state.base_url = base_url
        yield state


@pytest.fixture
def quick():
    """A policy whose waits take no time."""
    clock = FakeClock()
    return Policy(retry=Retry(), clock=clock)


def orchestrator_on(place, **options):
    orchestrator = WorkflowOrchestrator(place.admin.token, 1, base_url=place.server.base_url, **options)
    orchestrator.agents["security_audit"] = Auditor("SecurityAudit")
    return orchestrator


def orchestrator_of(hosted, policy, **options):
    orchestrator = WorkflowOrchestrator(TOKEN, ORG, base_url=hosted.base_url, policy=policy, **options)
    orchestrator.agents["security_audit"] = Auditor("SecurityAudit")
    return orchestrator


@pytest.mark.parametrize("durable", [None, False])
def test_a_workflow_runs_to_its_end_and_its_outcome_says_what_came_of_it(place, durable):
    seen = []
    orchestrator = orchestrator_on(
        place, durable=durable, on_change=lambda name, status: seen.append((name, str(status)))
    )
    outcome = orchestrator.execute_workflow(audit(), inputs={"what": "{{ the door }}"})
    summary = outcome["summary"]
    assert (summary["success_rate"], summary["completed"], summary["total"], summary["failed"]) == (100.0, 3, 3, 0)
    assert f"Workflow completed: {outcome['summary']['success_rate']:.1f}% success rate".endswith("100.0% success rate")
    assert (outcome["workflow"]["status"], outcome["workflow"]["number"] is None) == ("COMPLETE", durable is False)
    assert outcome["results"]["look"] == "You audit.\n\nLook at {{ the door }}"
    assert outcome["results"]["prove"] == f"You audit.\n\nProve: {outcome['results']['look']}"
    assert f"### Prove\n\n{outcome['results']['prove']}" in outcome["results"]["report"]
    assert (
        outcome["tasks"]["look"]["run_id"] < outcome["tasks"]["prove"]["run_id"] < outcome["tasks"]["report"]["run_id"]
    )
    assert [name for name, status in seen if status == "COMPLETE"] == ["look", "prove", "report"]
    metadata = place.admin.read(outcome["tasks"]["prove"]["run_id"])["metadata"]
    assert (metadata["workflow"], metadata["task"], metadata["role"]) == ("Audit", "prove", "security_audit")


def test_a_hosted_server_needs_to_know_only_runs(hosted, quick):
    outcome = orchestrator_of(hosted, quick).execute_workflow(audit(), {"what": "x"})
    assert (outcome["summary"]["success_rate"], outcome["workflow"]["number"]) == (100.0, None)
    assert [run.prompt.startswith("You") for run in hosted.runs.values()] == [True] * 3
    assert "Prove: answer to You audit." in hosted.runs[2].prompt
    with pytest.raises(NotFoundError):
        orchestrator_of(hosted, quick, durable=True).execute_workflow(audit(), {"what": "x"})


def test_what_fails_there_is_tried_again_and_what_follows_is_skipped(hosted, quick):
    hosted.script = ["!FAILED"]
    workflow = WorkflowBuilder("w", "W").add_task("a", "", "testing", "a", retry={"attempts": 2, "backoff": 0.01})
    outcome = orchestrator_of(hosted, quick).execute_workflow(workflow.add_task("b", "", "testing", "b", ["a"]).build())
    assert (outcome["workflow"]["status"], outcome["summary"]["success_rate"]) == ("FAILED", 0.0)
    assert (outcome["tasks"]["a"]["attempt"], outcome["tasks"]["b"]["status"]) == (2, "SKIPPED")
    assert outcome["tasks"]["b"]["reason"] == "it needs 'a', which failed"
    assert len(hosted.runs) == 2


def test_a_role_with_an_agent_of_its_own_makes_its_runs_there(place, hosted, quick):
    orchestrator = orchestrator_on(place)
    with EnhancedAgent(TOKEN, ORG, hosted.base_url, policy=quick) as agent:
        orchestrator.agents["security_audit"] = Auditor("SecurityAudit", agent)
        outcome = orchestrator.execute_workflow(audit(), {"what": "x"})
    assert outcome["summary"]["success_rate"] == 100.0
    assert (len(hosted.runs), outcome["results"]["look"][:9]) == (2, "answer to")
    assert "### Look\n\nanswer to You audit." in outcome["results"]["report"]


@pytest.mark.parametrize("durable", [None, False])
def test_somebody_is_asked_about_a_gate(place, durable):
    asked = []

    def approve(task):
        asked.append(task.id)
        return False

    outcome = orchestrator_on(place, durable=durable, approve=approve).execute_workflow(
        audit(approval=True), {"what": "x"}
    )
    assert (asked, outcome["workflow"]["status"]) == (["prove"], "FAILED")
    assert [task["status"] for task in outcome["tasks"].values()] == ["COMPLETE", "SKIPPED", "SKIPPED"]
    assert outcome["tasks"]["prove"]["reason"] == "it was not approved"


def test_what_cannot_be_run_is_not_begun(place, hosted, quick):
    with pytest.raises(WorkflowError, match="The input 'what' has no text"):
        orchestrator_on(place).execute_workflow(audit())
    with pytest.raises(WorkflowError, match="'security_audit', which is not known"):
        WorkflowOrchestrator(TOKEN, ORG, hosted.base_url).execute_workflow(audit(), {"what": "x"})
    with pytest.raises(UsageError, match="'prove' needs approval"):
        orchestrator_of(hosted, quick).execute_workflow(audit(approval=True), {"what": "x"})
    with pytest.raises(ApiError):
        WorkflowOrchestrator(TOKEN, ORG, "http://127.0.0.1:9", max_retries=0).execute_workflow(
            WorkflowBuilder("w", "W").add_task("a", "", "testing", "a").build()
        )
    assert not hosted.runs


def test_tasks_that_need_not_wait_for_each_other_do_not(place):
    """Those that are held end only when all of them are under way."""

    async def main():
        async with AsyncWorkflowOrchestrator(
            place.admin.token, 1, place.server.base_url, durable=False
        ) as orchestrator:
            builder = WorkflowBuilder("w", "W")
            for number in range(5):
                builder.add_task(f"t{number}", "", "testing", "hold", engine="held")
            work = asyncio.create_task(orchestrator.execute_workflow(builder.build()))
            await until(lambda: five_under_way(orchestrator))
            for run in (await orchestrator.api_client.list_agent_runs(limit=5)).items:
                await orchestrator.api_client.cancel_agent_run(run.id)
            return await work

    assert asyncio.run(main())["summary"]["cancelled"] == 5


async def five_under_way(orchestrator):
    page = await orchestrator.api_client.list_agent_runs(limit=5)
    return [run.status for run in page.items] == ["RUNNING"] * 5
