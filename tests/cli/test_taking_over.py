"""`contexten runs diff` and `runs apply`: what a run changed, shown and taken over into one's own work tree."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import editing_engine
from cli.conftest import new_machine
from cli.test_terminal import Screen, plain
from shop_project import commit_all, git

pytestmark = pytest.mark.once
REFUNDS = "shop/refunds.py"
EDIT = {REFUNDS: "def refund_order(order_id: int) -> bool:\n    return True\n", "shop/new.py": "NEW = 1\n"}


@pytest.fixture(scope="module")
def machine(tmp_path_factory, warm):
    machine = new_machine(tmp_path_factory.mktemp("edited"), warm)
    commit_all(machine.project, "first")
    environment = machine.environment | {"CONTEXTEN_ENGINE": "editing", "CONTEXTEN_PORT": "0"}
    words = [sys.executable, editing_engine.__file__, "up"]
    with subprocess.Popen(words, env=environment, cwd=machine.project, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout.readline()
            yield machine
        finally:
            server.terminate()


@pytest.fixture
def project(machine):
    """The person's work tree, as it was at first."""
    git(machine.project, "checkout", "--quiet", "--force", "main")
    git(machine.project, "clean", "--quiet", "--force", "-d")
    return machine.project


@pytest.fixture
def edited(machine, project):
    """A run that has changed one file and added one."""
    return str(machine.json("run", json.dumps(EDIT))["id"])


def status(project):
    return git(project, "status", "--short").split("\n")[:-1]


def test_the_end_of_a_run_says_what_to_do_with_its_changes(machine, project):
    done = machine("run", json.dumps(EDIT))
    number = done.stdout.split()[1]
    assert done.stdout.splitlines()[-1] == (
        f"  diff: contexten runs diff {number} · apply: contexten runs apply {number} · "
        f'continue: contexten runs resume {number} "…"'
    )
    assert machine("runs", "show", number).stdout.splitlines()[-1] == done.stdout.splitlines()[-1]
    assert status(project) == []
    nothing = machine("run", "{}")
    assert "apply:" not in nothing.stdout
    number = nothing.stdout.split()[1]
    assert machine("runs", "diff", number).stderr == f"Run {number} has changed nothing.\n"
    refused = machine("runs", "apply", number)
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: run {number} changed nothing. See: contexten runs show {number}\n",
    )


def test_in_a_pipe_it_is_what_git_apply_takes(machine, project, edited):
    done = machine("runs", "diff", edited, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    subprocess.run(["git", "-C", project, "apply"], input=done.stdout, text=True, check=True)
    assert (project / REFUNDS).read_text() == EDIT[REFUNDS]
    assert status(project) == [f" M {REFUNDS}", "?? shop/new.py"]


def test_figures_and_json(machine, edited):
    lines = machine("runs", "diff", edited, "--stat").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["shop/new.py", REFUNDS, "2"]
    assert lines[-1] == "  2 files, +2 \N{MINUS SIGN}5"
    found = machine.json("runs", "diff", edited)
    assert (found["branch"], len(found["files"])) == (f"contexten/run-{edited}", 2)
    assert found["patch"] == machine("runs", "diff", edited).stdout


def test_on_a_terminal_it_is_in_colours_and_cannot_steer_it(machine, project):
    number = str(machine.json("run", json.dumps({REFUNDS: "evil \x1b[2J\n"}))["id"])
    screen = Screen(machine, "runs", "diff", number)
    shown = screen.read()
    assert "\x1b[32m+evil [2J\x1b[0m" in shown
    assert "\x1b[31m-" in shown
    assert "+evil [2J" in plain(shown)
    assert "\x1b[2J" in machine("runs", "diff", number).stdout


def test_it_is_applied_to_the_project_that_it_is_about(machine, project, edited):
    checked = machine("runs", "apply", edited, "--check", cwd="/")
    assert checked.stdout == "2 files, +2 \N{MINUS SIGN}5 would apply to ~/src/shop\n"
    assert status(project) == []
    done = machine("runs", "apply", edited, cwd="/")
    assert (done.returncode, done.stdout) == (0, "2 files, +2 \N{MINUS SIGN}5 applied to ~/src/shop\n")
    assert status(project) == [f" M {REFUNDS}", "?? shop/new.py"]
    again = machine("runs", "apply", edited)
    assert again.returncode == 1
    assert again.stderr == f"error: {project} has these changes already; nothing was changed.\n"


def test_a_branch_of_its_own(machine, project, edited):
    told = machine.json("runs", "apply", edited, "--branch")
    assert told == {
        "run": int(edited), "folder": str(project), "applied": True, "branch": f"contexten/run-{edited}",
        "files": ["shop/new.py", REFUNDS],
    }  # fmt: skip
    assert git(project, "branch", "--show-current").strip() == f"contexten/run-{edited}"


def test_a_conflict_names_the_file_and_leaves_all_as_it_was(machine, project, edited):
    (project / REFUNDS).write_text("mine\n")
    done = machine("runs", "apply", edited, "--branch")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: the patch does not apply to {project}: {REFUNDS} (it is not as it was). Nothing was changed.\n"
    )
    assert status(project) == [f" M {REFUNDS}"]
    assert git(project, "branch", "--show-current").strip() == "main"


def test_another_folder_without_git(machine, project, edited, tmp_path):
    other = tmp_path / "other"
    (other / "shop").mkdir(parents=True)
    (other / REFUNDS).write_text((project / REFUNDS).read_text())
    refused = machine("runs", "apply", edited, "--repo", str(other), "--branch")
    assert (refused.returncode, refused.stderr) == (
        2,
        f"error: {other} is not a git repository, so it has no branches. Leave --branch out\n",
    )
    assert machine("runs", "apply", edited, "--repo", str(other)).returncode == 0
    assert (other / "shop" / "new.py").read_text() == "NEW = 1\n"
    missing = machine("runs", "apply", edited, "--repo", str(Path(other, "none")))
    assert missing.returncode == 2


def test_a_run_that_goes_on_says_so(machine, project):
    number = str(machine.json("run", json.dumps({"a.py": "x\n", "end": "never"}), "--no-follow")["id"])
    done = machine("runs", "diff", number)
    assert done.stderr.startswith(f"Run {number} goes on: what it changes is there when its turn ends.")
    assert machine("runs", "cancel", number).returncode == 0


def test_a_run_that_is_not_there(machine):
    for words in (("diff", "9999"), ("apply", "9999")):
        done = machine("runs", *words)
        assert (done.returncode, done.stderr.startswith("error: no run 9999 in organization 1. ")) == (1, True)
