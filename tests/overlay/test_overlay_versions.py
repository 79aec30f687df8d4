"""The same package with the overlay off and on, version by version: signatures, the official CLI, a run, the bridge."""

from __future__ import annotations

import re

import pytest
from codegen_environments import NEWEST, ROOT, every_version, uv

from contexten.overlay import State, apply, revert, status

pytestmark = pytest.mark.conformance

SIGNATURES = """
import dataclasses, inspect, json
import codegen, codegen.agents, codegen.agents.agent as module
def public(owner):
    return {name: str(inspect.signature(value)) for name, value in vars(owner).items()
            if callable(value) and (name == "__init__" or not name.startswith("_"))}
added = {"get_contexten_metrics", "add_callback", "run_enhanced"}
seen = {owner.__name__: {name: text for name, text in public(owner).items() if name not in added}
        for owner in (module.Agent, module.AgentTask)}
seen["names"] = sorted(name for name in vars(module) if not name.startswith("__"))
seen["docs"] = [module.Agent.__doc__, module.Agent.run.__doc__, module.AgentTask.refresh.__doc__]
seen["modules"] = [sorted(vars(codegen.agents)), getattr(codegen, "__all__", None)]
print(json.dumps(seen, sort_keys=True))
"""

RUN = """
import json, os, time
from codegen.agents.agent import Agent
agent = Agent(token=os.environ["TOKEN"], org_id=1, base_url=os.environ["BASE_URL"])
seen = [agent.get_status()]
task = agent.run("COMPLETE")
deadline = time.monotonic() + 150
while agent.get_status()["status"] != "COMPLETE" and time.monotonic() < deadline:
    time.sleep(0.02)
public = sorted(name for name in vars(task) if not name.startswith("_"))
print(json.dumps([seen, public, task.status, task.result, sorted(name for name in vars(agent) if name[0] != "_")]))
"""

EVENTS = """
import os
from codegen.contexten.integration import register_event_handler
register_event_handler(None, lambda event: print(event["event_type"]))
from codegen.agents.agent import Agent
agent = Agent(token=os.environ["TOKEN"], org_id=1, base_url=os.environ["BASE_URL"])
agent.run_enhanced("COMPLETE", wait=True, poll=0.02, timeout=60)
"""


def log_in(environment, token):
    folder = environment.root / ".codegen"
    folder.mkdir(exist_ok=True)
    (folder / "auth.json").write_text(f'{{"token": "{token}"}}')


@pytest.mark.parametrize(("version", "python"), every_version())
def test_everything_is_as_before_with_the_overlay_on(environments, account, version, python):
    environment = environments(version, python)
    before = environment.snapshot()

    def seen():
        return environment.run(SIGNATURES + RUN, **account)

    off = seen()
    apply(environment.target())
    try:
        assert status(environment.target()).state is State.APPLIED
        assert seen() == off
        said = [kind for kind in environment.run(EVENTS, **account).split() if kind != "overlay_applied"]
        assert said[:3] == ["agent_created", "task_starting", "task_created"]
        assert said[-1] == "task_finished"
    finally:
        revert(environment.target())
    assert environment.snapshot() == before
    assert environment.untrue_records() == []


@pytest.mark.parametrize(("version", "python"), every_version("0.54.1", "0.55.7", "0.56.2", always=[(NEWEST, "3.12")]))
def test_the_official_cli_says_the_same(environments, account, version, python):
    environment = environments(version, python)
    log_in(environment, account["TOKEN"])
    variables = {"CODEGEN_API_BASE_URL": account["BASE_URL"], "CODEGEN_ORG_ID": "1", "COLUMNS": "120", "TERM": "dumb"}
    made = environment.run(RUN, **account)
    assert "COMPLETE" in made

    has_runs = version != "0.56.3"
    words = (["agent", "--id", "1", "--json"], ["agents", "list"]) if has_runs else (["--help"], ["--version"])
    program = str(environment.root / "bin" / "codegen")

    def said():
        texts = [environment.python_with(program, *each, **variables) for each in words]
        return [re.sub(r"[\d-]+ [\d:,]+ - ", "", text) for text in texts]

    off = said()
    assert ('"COMPLETE"' in off[0]) is has_runs
    apply(environment.target())
    try:
        assert said() == off
    finally:
        revert(environment.target())


def test_pip_finds_nothing_wrong(environments):
    environment = environments(NEWEST, "3.12")
    uv("pip", "check", "--python", str(environment.root))
    apply(environment.target())
    try:
        uv("pip", "check", "--python", str(environment.root))
    finally:
        revert(environment.target())


BRIDGE = """
import os
from contexten.telemetry import events
from prometheus_client import REGISTRY, generate_latest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
seen = []
events.register(None, seen.append)

from codegen.agents.agent import Agent
agent = Agent(token=os.environ["TOKEN"], org_id=1, base_url=os.environ["BASE_URL"])
for status in ("COMPLETE", "FAILED"):
    agent.run_enhanced(status, wait=True, poll=0.02, timeout=60)
print(*[event["event_type"] for event in seen])

page = generate_latest(REGISTRY).decode()
assert "contexten_overlay_tasks_run_total 2.0" in page, page
good, bad = spans.get_finished_spans()
assert good.name == "invoke_agent codegen" and good.kind is trace.SpanKind.CLIENT
assert good.attributes["gen_ai.operation.name"] == "invoke_agent" and good.status.is_ok is True
assert good.end_time > good.start_time
assert bad.attributes["error.type"] == "FAILED" and not bad.status.is_ok
"""


def test_contexten_beside_it_receives_events_metrics_and_spans(environments, account):
    environment = environments(NEWEST, "3.12")
    uv("pip", "install", "--python", str(environment.root), "prometheus-client", link_mode="hardlink")
    apply(environment.target())
    try:
        said = environment.run(BRIDGE, PYTHONPATH=str(ROOT / "src"), CONTEXTEN_OVERLAY_BRIDGE="1", **account)
        off = environment.run(BRIDGE.split("page =", maxsplit=1)[0], PYTHONPATH=str(ROOT / "src"), **account)
    finally:
        revert(environment.target())
    assert said.split()[:3] == ["agent_created", "task_starting", "task_created"]
    assert "task_error task_finished" in said
    assert off == "\n"
