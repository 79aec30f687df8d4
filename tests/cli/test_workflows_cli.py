"""`contexten workflows`, as a person uses it."""

import json
import signal

import pytest

pytestmark = pytest.mark.once

GATED = """
id = "gated"
name = "Gated"
[inputs]
question = "Give me an overview"

[[tasks]]
id = "ask"
role = "documentation"
prompt = "{{ inputs.question }}"

[[tasks]]
id = "more"
role = "documentation"
prompt = "Where are the tests?"
dependencies = ["ask"]
approval = true
"""


@pytest.fixture(scope="module")
def gated(live):
    """A workflow that waits for a person, and its number."""
    (live.project / "gated.toml").write_text(GATED)
    started = live.json("workflows", "run", "gated.toml", "--no-follow", "--set", "question=List the entry points")
    return started["id"]


def test_a_template_is_run_and_followed_to_its_end(live):
    done = live("workflows", "run", "onboarding")
    assert (done.returncode, done.stderr) == (0, "")
    first, *news, last = done.stdout.splitlines()
    assert first.endswith(" · Onboarding · 4 tasks")
    assert [line.split()[:2] for line in news if "unused" in line][-1] == ["unused", "complete"]
    assert "complete in " in last
    assert "4 of 4 done · contexten workflows show " in last
    number = last.split()[-1]
    shown = live("workflows", "show", number).stdout.splitlines()
    assert shown[1] == "TASK\tSTATUS\tTIME\tRUN\tNAME OR REASON"
    assert shown[2].split("\t")[:2] == ["overview", "COMPLETE"]
    assert f"{number}\tCOMPLETE\t" in live("workflows", "list").stdout
    run = live.json("workflows", "show", number)["tasks"][0]["run_id"]
    assert live.json("runs", "show", str(run))["metadata"]["task"] == "overview"


def test_a_workflow_waits_for_its_approval_and_is_then_followed(live, gated):
    live.until(lambda: live.json("workflows", "show", str(gated))["status"] == "PAUSED", "the gate")
    shown = live("workflows", "show", str(gated))
    assert f"more waits for approval: contexten workflows approve {gated} more" in shown.stderr
    assert live("workflows", "approve", str(gated), "more").stdout == f"workflow {gated}: more approved\n"
    ended = live.json("workflows", "follow", str(gated))
    assert (ended["status"], ended["tasks"][1]["status"]) == ("COMPLETE", "COMPLETE")
    assert ended["definition"]["inputs"] == {"question": "List the entry points"}
    late = live("workflows", "cancel", str(gated))
    assert (late.returncode, late.stderr) == (1, f"error: workflow {gated} had ended already: complete\n")
    assert "goes on" in live("workflows", "retry", str(gated), "ask").stdout
    assert live("workflows", "cancel", str(gated)).stdout.startswith(f"workflow {gated} cancelled.")
    assert live("workflows", "follow", str(gated)).returncode == 1
    assert live("workflows", "delete", str(gated)).returncode == 2, "nobody can be asked in a pipe"
    assert live("workflows", "delete", str(gated), "--yes").stdout == f"workflow {gated} deleted\n"


def test_an_interrupt_leaves_it_to_the_server_and_says_so(live):
    process = live.start("workflows", "run", "gated.toml")
    line = process.stdout.readline()
    number = line.split()[1]
    live.until(lambda: live.json("workflows", "show", number)["status"] == "PAUSED", "the gate")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=150)
    assert process.returncode == 130
    assert f"workflow {number} goes on. Follow it: contexten workflows follow {number}" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "nope"), 2, "'nope' is neither a file nor a template. Templates: feature_development, "),
        (("run", "bug_fix"), 2, "the input 'bug' has no text. Give it: --set bug=…"),
        (("run", "bug_fix", "--set", "bug"), 2, "--set 'bug' has no text. Write --set name=text"),
        (("run", "onboarding", "--engine", "nope"), 2, "task 'overview': There is no engine 'nope'."),
        (("show", "999"), 1, "no workflow 999 in organization 1. Those there are: contexten workflows list"),
        (("validate", "cycle.json"), 2, "task 'a' waits for itself: a → b → a."),
    ],
)
def test_wrong_use_says_what_to_do(live, gated, words, code, said):
    tasks = [{"id": "a", "role": "testing", "prompt": "x", "dependencies": ["b"]}]
    tasks.append(tasks[0] | {"id": "b", "dependencies": ["a"]})
    (live.project / "cycle.json").write_text(json.dumps({"id": "c", "name": "C", "tasks": tasks}))
    done = live("workflows", *words)
    assert done.returncode == code
    assert said in done.stderr, done.stderr


def test_files_are_checked_drawn_and_begun_with_without_a_server(machine):
    written = machine("workflows", "templates", "bug_fix").stdout
    assert (
        machine("workflows", "validate", "-", input=written).stdout
        == "Bug fix: 5 tasks, nothing wrong\n  needs --set bug=…\n"
    )
    assert machine("workflows", "graph", "-", input=written).stdout.startswith(
        "diagnose (code_review)\n  reproduce (testing)  ← diagnose\n"
    )
    assert machine("workflows", "graph", "code_review", "--format", "mermaid").stdout.startswith("flowchart TD\n")
    assert "onboarding\t4\t-\tGet to know" in machine("workflows", "templates").stdout
