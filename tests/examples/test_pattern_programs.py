"""The documented example programs, as programs and as imports, against a running server."""

import subprocess
import sys

import pytest
from example_programs import PATTERNS, ROOT, variables

from running_server import running


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    with running(folder) as place:
        yield variables(place, folder)


def run(program, environment, *arguments):
    return subprocess.run(
        [sys.executable, *arguments, program],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("enhanced_agent.py", ["one run: run ", "batch: run ", "conversation: run ", "follow-up: run "]),
        ("multi_agent_orchestration.py", ["overview: run ", "Workflow completed: 100.0% success rate in "]),
        ("streaming_and_observability.py", ["100.0% complete", "status healthy, p95 "]),
    ],
)
def test_the_file_runs_as_a_program(name, lines, environment):
    done = run(PATTERNS / name, environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in lines:
        assert line in done.stdout


@pytest.mark.parametrize("name", ["enhanced_agent", "multi_agent_orchestration", "streaming_and_observability"])
def test_it_runs_as_a_module(name, environment):
    done = run(f"implementation_examples.patterns.{name}", environment, "-m")
    assert (done.returncode, done.stderr) == (0, "")


def test_log_level_makes_it_talk(environment):
    done = run(PATTERNS / "enhanced_agent.py", environment | {"LOG_LEVEL": "info"})
    assert '"event": "run ended"' in done.stderr
    assert environment["CODEGEN_TOKEN"] not in done.stdout + done.stderr


def test_without_a_server_it_says_so(environment):
    done = run(PATTERNS / "enhanced_agent.py", environment | {"CODEGEN_BASE_URL": "http://127.0.0.1:9"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "127.0.0.1:9" in done.stderr


DOCUMENTED = """
import os
from implementation_examples.patterns.enhanced_agent import EnhancedAgent, ContextualAgent
from implementation_examples.patterns.multi_agent_orchestration import (
    AgentRole, WorkflowBuilder, WorkflowDefinition, WorkflowOrchestrator, WorkflowTemplates)
from implementation_examples.patterns.streaming_and_observability import (
    MetricsCollector, ObservableStreamingAgent, RealTimeMonitor)
token = os.environ["CODEGEN_TOKEN"]
agent = EnhancedAgent(token=token, org_id=1, max_retries=3)
print(agent.run_with_retry("Create a Python function", context={"language": "python"}).status)
agent = ContextualAgent(token=token, org_id=1)
print(agent.run_with_context("Add error handling", context_key="project_1").status)
agent = ObservableStreamingAgent(token=token, org_id=1)
print([chunk["type"] for chunk in agent.run_streaming("Create a REST API")][-1])
print(RealTimeMonitor(agent).get_dashboard_data()["metrics_summary"]["status"])
class Custom(MetricsCollector):
    def __init__(self, client): self.client = client
    def record_counter(self, name, value=1, tags=None): self.client.append(name)
sent = []
ObservableStreamingAgent(token=token, org_id=1, metrics_collector=Custom(sent)).run_with_retry("x")
print(sent)
orchestrator = WorkflowOrchestrator(token=token, org_id=1)
workflow = WorkflowTemplates.feature_development_workflow(feature_name="User Authentication", requirements="JWT-based")
result = orchestrator.execute_workflow(workflow)
print(f"Workflow completed: {result['summary']['success_rate']:.1f}% success rate")
class SecurityAuditAgent(AgentRole):
    def get_system_prompt(self) -> str:
        return "You are a security expert"
orchestrator.agents["security_audit"] = SecurityAuditAgent("SecurityAudit", EnhancedAgent(token=token, org_id=1))
def api_security_audit_workflow(api_spec: str) -> WorkflowDefinition:
    return (WorkflowBuilder("security_audit", "API Security Audit")
            .add_task("analyze", "Security Analysis", "security_audit", f"Analyze API specification: {api_spec}")
            .add_task("report", "Security Report", "documentation", "Generate report", dependencies=["analyze"])
            .build())
print(orchestrator.execute_workflow(api_security_audit_workflow("/v1"))["summary"]["completed"])
"""


def test_the_documented_imports_and_calls(environment):
    done = subprocess.run(
        [sys.executable, "-c", DOCUMENTED],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n") == [
        "COMPLETE", "COMPLETE", "complete", "healthy", "['agent_requests_total']",
        "Workflow completed: 100.0% success rate", "2", "",
    ], done.stderr  # fmt: skip
