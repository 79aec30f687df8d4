"""What programs see while the overlay is in effect: the real package, a real server, a process of its own."""

from __future__ import annotations

import pytest
from loaded_interpreter import loaded_interpreter

from contexten.overlay import apply, revert
from free_port import free_port

pytestmark = pytest.mark.conformance

START = """
import gc, json, os, sys, threading, time, weakref
from pathlib import Path
from codegen.agents.agent import Agent, AgentTask
from codegen.contexten.integration import register_event_handler, get_metrics

account = dict(token=os.environ["TOKEN"], org_id=int(os.environ["ORG_ID"]), base_url=os.environ["BASE_URL"])
seen = []
register_event_handler(None, seen.append)

def types():
    return [event["event_type"] for event in seen]

def until(condition, seconds=150):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, types()
        time.sleep(0.01)

def ended(task):
    def look():
        task.refresh()
        return task.status not in ("PENDING", "RUNNING")
    until(look)
"""


@pytest.fixture(scope="module")
def overlaid(environments):
    """An environment with the overlay in effect, which is taken out again at the end."""
    environment = environments()
    apply(environment.target())
    yield environment
    revert(environment.target())


@pytest.fixture(scope="module")
def loaded(overlaid):
    with loaded_interpreter(overlaid, "codegen.agents.agent") as run:
        yield run


@pytest.fixture
def program(overlaid, loaded, account, tmp_path):
    """Runs a program with the overlay in effect: one with settings of its own in an interpreter of its own."""

    def run(text, **variables):
        how = overlaid.run if variables else loaded
        return how(START + text, GATE=str(tmp_path / "gate"), **account, **variables)

    return run


def test_a_run_reports_each_thing_once_in_order(program):
    program("""
agent = Agent(**account)
task = agent.run("COMPLETE when " + os.environ["GATE"])
until(lambda: task.refresh() or task.status == "RUNNING")
for _ in range(5):
    task.refresh()
Path(os.environ["GATE"]).touch()
ended(task)
for _ in range(5):
    task.refresh()
assert types() == ["agent_created", "task_starting", "task_created", "task_status_changed", "task_status_changed",
                   "task_finished"], types()
created, finished = seen[2], seen[-1]
assert created["task_id"] == task.id and created["status"] == "PENDING" and created["web_url"] == task.web_url
assert [event["old_status"] for event in seen[3:5]] == ["PENDING", "RUNNING"]
assert finished["status"] == "COMPLETE" and 0 < finished["duration"] < 60
counters = get_metrics()["counters"]
assert counters == {"agents_created": 1, "tasks_run": 1, "tasks_finished": 1, "task_errors": 0, "task_timeouts": 0,
                    "overlay_faults": 0}, counters
""")


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        ("COMPLETE", ["task_finished"]),
        ("FAILED", ["task_error", "task_finished"]),
        ("TIMEOUT", ["task_timeout", "task_finished"]),
        ("CANCELLED", ["task_finished"]),
    ],
)
def test_the_end_is_reported_by_its_kind(program, status, reported):
    program(
        f"""
task = Agent(**account).run({status!r})
ended(task)
last = types()[types().index("task_status_changed"):]
assert [kind for kind in last if kind != "task_status_changed"] == {reported!r}, last
"""
    )


def test_many_threads_that_refresh_report_the_end_once(program):
    program("""
task = Agent(**account).run("FAILED when " + os.environ["GATE"])
def look():
    while task.status not in ("FAILED",):
        task.refresh()
threads = [threading.Thread(target=look) for _ in range(8)]
for thread in threads: thread.start()
Path(os.environ["GATE"]).touch()
for thread in threads: thread.join()
assert types().count("task_finished") == types().count("task_error") == 1, types()
""")


def test_a_request_that_fails_is_reported_and_raised_as_before(program):
    program("""
account["base_url"] = "http://127.0.0.1:9"
try:
    Agent(**account).run("hello")
except Exception as error:
    raised = error
assert type(raised).__name__ == "MaxRetryError", raised
assert types() == ["agent_created", "task_starting", "task_error"]
assert seen[-1]["error_type"] == "MaxRetryError" and "127.0.0.1" in seen[-1]["error"]
assert os.environ["TOKEN"] not in str(seen)
""")


def test_prompts_and_results_are_not_in_the_events(program):
    program("""
task = Agent(**account).run("secret words")
ended(task)
assert "secret" in task.result
assert "secret" not in str(seen), seen
assert seen[1]["prompt_length"] == len("secret words")
""")


def test_callbacks_hear_of_their_own_agent_only(program):
    program("""
agent, other = Agent(**account), Agent(**account)
heard = []
agent.add_callback(lambda event: heard.append(event["event_type"]))
agent.add_callback(lambda event: 1 / 0)
other.run("COMPLETE")
task = agent.run("COMPLETE")
ended(task)
assert heard[:2] == ["task_starting", "task_created"] and heard[-1] == "task_finished", heard
assert heard.count("task_created") == 1
try:
    agent.add_callback("no function")
except TypeError as error:
    assert "callback must be callable" in str(error)
else:
    raise AssertionError
""")


def test_no_task_and_no_agent_is_kept_alive(program):
    program("""
agent = Agent(**account)
task = AgentTask(type("Data", (), dict(id=1, status="RUNNING", result=None, web_url="x"))(), agent.api_client, 1)
gone = weakref.ref(task)
gc.disable()
del task
assert gone() is None, "a task must go when its last name goes"
gc.enable()

agent.add_callback(lambda event: agent)
task = agent.run_enhanced("COMPLETE when " + os.environ["GATE"], poll=0.02)
gone = weakref.ref(agent), weakref.ref(task)
del agent, task
until(lambda: gc.collect() is not None and all(each() is None for each in gone))
until(lambda: "contexten-watch" not in {thread.name for thread in threading.enumerate()})
Path(os.environ["GATE"]).touch()
""")


def test_run_enhanced_watches_in_the_background(program):
    program("""
heard = []
task = Agent(**account).run_enhanced("COMPLETE when " + os.environ["GATE"], poll=0.02, callbacks=[heard.append])
assert task.status in ("PENDING", "RUNNING")
Path(os.environ["GATE"]).touch()
until(lambda: "task_finished" in types())
assert task.status == "COMPLETE" and "the answer" in task.result
assert [event["event_type"] for event in heard][-1] == "task_finished"
""")


def test_run_enhanced_can_wait(program):
    program("""
task = Agent(**account).run_enhanced("COMPLETE", wait=True, timeout=60, poll=0.02)
assert task.status == "COMPLETE" and types()[-1] == "task_finished"
""")


@pytest.mark.parametrize("wait", [True, False])
def test_run_enhanced_gives_up_in_time_and_says_so_once(program, wait):
    program(
        """
agent = Agent(**account)
prompt = "COMPLETE when " + os.environ["GATE"]
try:
    task = agent.run_enhanced(prompt, wait=WAIT, timeout=0.2, poll=0.02)
except TimeoutError as error:
    assert WAIT and "goes on" in str(error) and error.task is agent.current_job, error
until(lambda: "task_timeout" in types())
Path(os.environ["GATE"]).touch()
ended(agent.current_job)
assert types().count("task_timeout") == 1 and types()[-1] == "task_finished"
assert get_metrics()["counters"]["task_timeouts"] == 1
""".replace("WAIT", repr(wait))
    )


def test_run_enhanced_refuses_what_cannot_be_meant(program):
    program("""
for wrong in (dict(timeout=0), dict(poll=-1)):
    try:
        Agent(**account).run_enhanced("hello", **wrong)
    except ValueError as error:
        assert "must be > 0" in str(error)
    else:
        raise AssertionError(wrong)
assert "task_starting" not in types()
""")


def test_background_watching_survives_a_server_that_goes_away(program):
    program("""
agent = Agent(**account)
task = agent.run_enhanced("COMPLETE when " + os.environ["GATE"], poll=0.02)
task._api_client.configuration.host = "http://127.0.0.1:9"
until(lambda: "contexten-watch" not in {thread.name for thread in threading.enumerate()})
assert "task_finished" not in types()
Path(os.environ["GATE"]).touch()
""")


def test_subclasses_and_all_import_paths_are_instrumented(program):
    program("""
import codegen, codegen.agents
assert codegen.Agent is codegen.agents.Agent is Agent
class Mine(Agent):
    def run(self, prompt):
        return super().run(prompt + " when " + os.environ["GATE"])
Mine(**account).run("COMPLETE")
Path(os.environ["GATE"]).touch()
assert types()[:3] == ["agent_created", "task_starting", "task_created"]
""")


def test_counts_are_exact_under_32_threads(program):
    program("""
from codegen.contexten.metrics import increment
def work():
    for _ in range(20):
        agent = Agent(**account)
        increment("custom", 2)
threads = [threading.Thread(target=work) for _ in range(32)]
for thread in threads: thread.start()
for thread in threads: thread.join()
counters = get_metrics()["counters"]
assert counters["agents_created"] == 640 and counters["custom"] == 1280, counters
""")


def test_copies_of_a_task_are_as_they_were(program):
    program("""
import copy, pickle
from codegen.contexten._tasks import TaskState, state_of
agent = Agent(**account)
task = agent.run("COMPLETE")
twin = copy.copy(task)
assert twin.id == task.id
state = pickle.loads(pickle.dumps(copy.deepcopy(state_of(task))))
assert isinstance(state, TaskState)
ended(twin)
""")


def test_overlay_applied_reaches_a_handler_that_comes_later(program):
    program("""
late = []
register_event_handler("overlay_applied", late.append)
assert late[0]["agent"] == "codegen.agents.agent" and late[0]["event_type"] == "overlay_applied"
""")


def test_metrics_on_a_port(program):
    out = program(
        """
import socket, urllib.request
Agent(**account)
url = "http://127.0.0.1:" + os.environ["CONTEXTEN_OVERLAY_METRICS_PORT"]
page = urllib.request.urlopen(url + "/metrics").read().decode()
assert "contexten_overlay_agents_created_total 1" in page, page
try:
    urllib.request.urlopen(url + "/else")
except urllib.error.HTTPError as error:
    assert error.code == 404
""",
        CONTEXTEN_OVERLAY_METRICS_PORT=str(free_port()),
    )
    assert out == ""


def test_a_port_that_is_taken_is_told_once_and_harms_nobody(program, server):
    taken = server.base_url.rpartition(":")[2]
    out = program('Agent(**account).run("COMPLETE")', CONTEXTEN_OVERLAY_METRICS_PORT=taken)
    assert out.count("\n") == 1
    assert "the contexten overlay failed and stays out of the way" in out


def test_health_tells_of_the_overlay(program):
    program("""
from codegen.contexten.monitoring import run_health_checks
health = run_health_checks()
assert health["overall_status"] == "healthy" and health["checks"]["overlay"]["status"] == "healthy", health
""")


@pytest.mark.parametrize(
    "fault",
    [
        "_hooks._tell",
        "_hooks._task_data",
        "_hooks._callbacks",
        "_hooks.state_of",
        "_hooks.start",
        "_hooks.watch",
        "_bridge.connect",
        "metrics.increment",
        "metrics.observe",
        "events.emit",
        "events.bus.deliver",
    ],
)
def test_a_fault_of_ours_never_reaches_the_program(program, fault):
    out = program(
        f"""
from codegen.contexten import _bridge, _hooks, events, metrics
def broken(*args, **kwargs):
    raise SystemError("broken on purpose")
{fault} = broken
agent = Agent(**account)
task = agent.run("COMPLETE")
ended(task)
assert "COMPLETE" == agent.get_status()["status"]
agent.run_enhanced("FAILED", wait=True, poll=0.02, timeout=60)
agent.run_enhanced("COMPLETE")
"""
    )
    assert out.count("the contexten overlay failed") == 1
    assert len(out.splitlines()) <= 1


def test_a_broken_payload_leaves_the_package_as_it_was(overlaid, account):
    file = overlaid.package / "contexten" / "_hooks.py"
    text = file.read_text()
    file.unlink()
    try:
        out = overlaid.run(
            """
import os
from codegen import Agent
task = Agent(token=os.environ["TOKEN"], org_id=1, base_url=os.environ["BASE_URL"]).run("COMPLETE")
assert not hasattr(Agent, "run_enhanced")
""",
            **account,
        )
    finally:
        file.write_text(text)
    assert out.count("the contexten overlay cannot be loaded") == 1


def test_a_fork_is_independent_of_its_parent(program):
    program("""
import warnings
warnings.simplefilter("ignore")
agent = Agent(**account)
task = agent.run_enhanced("COMPLETE when " + os.environ["GATE"], poll=0.02)
child = os.fork()
if child == 0:
    seen.clear()
    done = Agent(**account).run_enhanced("COMPLETE", wait=True, poll=0.02, timeout=60)
    os._exit(0 if types()[-1] == "task_finished" else 1)
assert os.waitpid(child, 0)[1] == 0
Path(os.environ["GATE"]).touch()
until(lambda: "task_finished" in types())
""")
