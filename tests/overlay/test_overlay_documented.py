"""Every program of the documented interface, run as it is written there, where only `codegen` is installed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from codegen_environments import ROOT

pytestmark = pytest.mark.conformance

DOOR = ROOT / "extensions" / "codegen" / "apply_overlay.py"


@pytest.fixture(scope="module")
def overlaid(environments):
    """The documented way in: the door, run by the environment's own interpreter."""
    environment = environments()
    said = environment.python_with(str(DOOR))
    assert said.startswith("applied to codegen 0.57.0: ")
    yield environment
    assert environment.python_with(str(DOOR), "revert").startswith("taken out of codegen 0.57.0")


@pytest.fixture
def documented(overlaid, account):
    """Runs a documented program, with the placeholders of its account filled in."""

    def run(program, after=""):
        filled = {
            'org_id="11"': f"org_id={account['ORG_ID']}",
            '"your_api_token_here"': repr(account["TOKEN"]),
            '"your_token"': repr(account["TOKEN"]),
            '"https://codegen-sh-rest-api.modal.run"': repr(account["BASE_URL"]),
        }
        text = program + after
        for old, new in filled.items():
            text = text.replace(old, new)
        return overlaid.run(text, CODEGEN_API_BASE_URL=account["BASE_URL"])

    return run


USAGE = """
from codegen.agents.agent import Agent

agent = Agent(org_id="11", token="your_api_token_here", base_url="https://codegen-sh-rest-api.modal.run")
task = agent.run(prompt="Which github repos can you currently access?")
print(task.status)
task.refresh()
if task.status == "completed":
    print(task.result)

metrics = agent.get_contexten_metrics()
print(f"Tasks run: {metrics['counters']['tasks_run']}")

def on_task_event(data):
    print(f"Task event: {data}")

agent.add_callback(on_task_event)
task = agent.run_enhanced("Your prompt here")
"""

EVENTS = """
from codegen.contexten.integration import register_event_handler

def on_agent_created(data):
    print(f"Agent created: {data}")

def on_task_finished(data):
    print(f"Task finished: {data}")

register_event_handler("agent_created", on_agent_created)
register_event_handler("task_finished", on_task_finished)
"""

MONITOR = """
from codegen.contexten.integration import register_event_handler

def comprehensive_monitor(data):
    event_type = data.get('event_type', 'unknown')
    timestamp = data.get('timestamp', 0)
    if event_type == 'task_created':
        print(f"created at {timestamp}")
    elif event_type == 'task_finished':
        duration = data.get('duration', 0)
        print(f"completed in {duration:.2f}s")

register_event_handler("task_created", comprehensive_monitor)
register_event_handler("task_finished", comprehensive_monitor)
"""

A_RUN = """
import time
from codegen.agents.agent import Agent
agent = Agent(org_id="11", token="your_api_token_here", base_url="https://codegen-sh-rest-api.modal.run")
agent.run_enhanced("Your prompt here", wait=True, poll=0.05, timeout=60)
"""


def test_usage_after_the_overlay(documented):
    first, count, *events = documented(USAGE).splitlines()
    assert (first, count) == ("PENDING", "Tasks run: 1")
    assert [re.match(r"Task event: \{'event_type': '(\w+)', 'timestamp': [\d.]+, ", event)[1] for event in events] == [
        "task_starting",
        "task_created",
    ]


def test_event_handlers(documented):
    created, finished = documented(EVENTS, A_RUN).splitlines()
    assert re.match(r"Agent created: \{'event_type': 'agent_created', 'timestamp': [\d.]+, 'org_id': 1\}$", created)
    assert finished.startswith("Task finished: {'event_type': 'task_finished', ")
    assert "'status': 'COMPLETE'" in finished
    assert re.search(r"'duration': [\d.]+\}$", finished)


def test_a_comprehensive_monitor(documented):
    created, finished = documented(MONITOR, A_RUN).splitlines()
    assert re.fullmatch(r"created at 1\d{9}\.\d+", created)
    assert re.fullmatch(r"completed in \d+\.\d\ds", finished)


def test_metrics_of_the_process(documented):
    uptime, counters = documented("""
from codegen.contexten.metrics import get_metrics

metrics = get_metrics()
print(f"Uptime: {metrics['uptime_seconds']}")
print(f"Counters: {metrics['counters']}")
""").splitlines()
    assert re.fullmatch(r"Uptime: \d+\.\d+(e-\d+)?", uptime)
    assert counters.startswith("Counters: {")


def test_custom_metrics(documented):
    said = documented(
        """
from codegen.contexten.metrics import increment, set_gauge

increment("custom_operations")
increment("api_calls", 5)
set_gauge("current_load", 0.75)
set_gauge("active_connections", 42)
""",
        """
from codegen.contexten.metrics import get_metrics, start_timer, end_timer, reset
start_timer("work")
assert end_timer("work") >= 0
metrics = get_metrics()
print({name: metrics["counters"][name] for name in ("custom_operations", "api_calls")}, metrics["gauges"])
assert metrics["timers"]["work"]["count"] == 1
reset()
assert get_metrics()["gauges"] == {}
""",
    )
    assert said == ("{'custom_operations': 1, 'api_calls': 5} {'current_load': 0.75, 'active_connections': 42}\n")


def test_health_monitoring(documented):
    assert (
        documented("""
from codegen.contexten.monitoring import run_health_checks

health = run_health_checks()
print(f"Overall status: {health['overall_status']}")
""")
        == "Overall status: healthy\n"
    )


def test_health_checks_of_ones_own(documented):
    said = documented(
        """
from codegen.contexten.monitoring import add_health_check

def check_api_connectivity():
    return {"status": "ok", "response_time": 0.123}

add_health_check("api_connectivity", check_api_connectivity)
""",
        """
from codegen.contexten.monitoring import get_system_info, run_health_checks
print(run_health_checks()["checks"]["api_connectivity"]["response_time"], get_system_info()["python_version"])
""",
    )
    assert re.fullmatch(r"0\.123 3\.12\.\d+\n", said)


def test_the_agents_metrics(documented):
    said = documented("""
from codegen.agents.agent import Agent
agent = Agent(org_id="11", token="your_token")
metrics = agent.get_contexten_metrics()
print(metrics)
""")
    assert re.match(r"\{'uptime_seconds': [\d.e-]+, 'counters': \{'agents_created': 1, 'tasks_run': 0, ", said)


def test_events_have_types_a_record_and_functions(documented):
    said = documented("""
from codegen.contexten.events import Event, EventType, emit, register, unregister
register(EventType.TASK_ERROR, print)
emit(EventType.TASK_ERROR, reason="x")
assert unregister("task_error", print)
emit("task_error")
assert Event(event_type="task_error", timestamp=1.0).event_type == EventType.TASK_ERROR
""")
    assert re.fullmatch(r"\{'event_type': 'task_error', 'timestamp': [\d.]+, 'reason': 'x'\}\n", said)


DEBUG = """
try:
    from codegen.contexten.integration import get_metrics
    print("Overlay applied successfully")
    print(get_metrics())
except ImportError:
    print("Overlay not applied")
"""


def test_debug_information(documented):
    first, second = documented(DEBUG).splitlines()
    assert first == "Overlay applied successfully"
    assert second.startswith("{'uptime_seconds': ")


def test_reverting_by_hand(environments):
    environment = environments("0.56.3")
    environment.python_with(str(DOOR))
    location = environment.run("import codegen; print(codegen.__file__)").strip()
    package = Path(location).parent
    assert environment.run(DEBUG).startswith("Overlay applied")
    subprocess.run(["cp", "agent.py.original", "agent.py"], cwd=f"{package}/agents", check=True)
    subprocess.run(["rm", "-rf", f"{package}/contexten/"], check=True)
    try:
        assert environment.run(DEBUG) == "Overlay not applied\n"
        program = "from codegen.agents.agent import Agent; print(hasattr(Agent, 'run_enhanced'))"
        assert environment.run(program) == "False\n"
        assert "restored by hand" in environment.python_with(str(DOOR), "status")
    finally:
        environment.python_with(str(DOOR), "revert")
    assert environment.untrue_records() == []


def test_the_example_of_our_own_page(overlaid, account):
    page = (ROOT / "docs" / "overlay.md").read_text("utf-8")
    program = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    filled = program.replace('"…"', repr(account["TOKEN"])).replace(
        '"http://127.0.0.1:8000"', repr(account["BASE_URL"])
    )
    *events, count = overlaid.run(filled).splitlines()
    assert re.search(r"^\d+ COMPLETE \d", "\n".join(events), re.MULTILINE)
    assert count == "1"
