"""The installer is killed before each of its effects on the file system; what is left works and can be finished."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import pytest
from codegen_environments import Environment

from contexten.overlay import State, apply, revert, status

pytestmark = pytest.mark.chaos

KILLED_BEFORE = """
import os, signal, sys

place, verb, at = sys.argv[1], sys.argv[2], int(sys.argv[3])
EFFECTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}

from contexten.overlay import apply, find, revert
target = find(target=place)
left = [at]

def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wx")
    if not (writes or event in EFFECTS) or not str(args[0]).startswith(place):
        return
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1

sys.addaudithook(watch)
{"apply": apply, "revert": revert}[verb](target)
"""


def killed(environment, verb, at):
    """Whether the installer was killed before its effect number `at`; False when it has fewer."""
    words = [sys.executable, "-c", KILLED_BEFORE, str(environment.site_packages), verb, str(at)]
    code = subprocess.run(words, capture_output=True, timeout=60, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


def every_crash(environment, scratch, verb):
    """The environment after a kill before each effect, one after the other."""
    for at in range(200):
        crashed = Environment(shutil.copytree(environment.root, scratch / str(at), symlinks=True))
        if not killed(crashed, verb, at):
            assert at > 10
            return
        yield crashed
        shutil.rmtree(crashed.root)
    raise AssertionError("there is no end to it")


def test_an_apply_that_is_killed_can_be_finished_or_undone(environment, tmp_path):
    before = environment.snapshot()
    whole = Environment(shutil.copytree(environment.root, tmp_path / "whole", symlinks=True))
    apply(whole.target())
    after = whole.snapshot()
    for crashed in every_crash(environment, tmp_path, "apply"):
        source = crashed.agent.read_bytes()
        assert source in (environment.agent.read_bytes(), whole.agent.read_bytes())
        state = status(crashed.target()).state
        assert state in (State.ABSENT, State.INTERRUPTED, State.APPLIED)
        if source == whole.agent.read_bytes():
            assert {name: after[name] for name in after if "/contexten/" in name and name.endswith(".py")} == {
                name: facts
                for name, facts in crashed.snapshot().items()
                if "/contexten/" in name and name.endswith(".py")
            }
        twin = Environment(shutil.copytree(crashed.root, tmp_path / "twin", symlinks=True))
        apply(crashed.target())
        assert crashed.snapshot() == after
        revert(twin.target())
        assert twin.snapshot() == before
        shutil.rmtree(twin.root)


def test_a_revert_that_is_killed_can_be_finished_or_undone(environment, tmp_path):
    before = environment.snapshot()
    apply(environment.target())
    after = environment.snapshot()
    for crashed in every_crash(environment, tmp_path, "revert"):
        assert status(crashed.target()).state in (State.ABSENT, State.INTERRUPTED, State.APPLIED)
        twin = Environment(shutil.copytree(crashed.root, tmp_path / "twin", symlinks=True))
        revert(crashed.target())
        assert crashed.snapshot() == before
        apply(twin.target())
        assert twin.snapshot() == after
        shutil.rmtree(twin.root)


def test_the_package_imports_after_every_crash(environments, tmp_path):
    environment = environments()
    before = environment.snapshot()
    at, step = 0, 7
    while killed(environment, "apply", at):
        environment.run("import codegen; assert codegen.Agent.run.__name__ == 'run'")
        revert(environment.target())
        assert environment.snapshot() == before
        at += step
    revert(environment.target())
    assert at > 2 * step


def test_two_processes_at_once_leave_one_whole_overlay(environment):
    program = "import sys; from contexten.overlay.__main__ import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", program, "apply", "--target", str(environment.site_packages)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in both]
    assert {process.returncode for process in both} <= {0, 1}
    assert [process.returncode for process in both].count(0) >= 1
    assert all("another process" in errors for _, errors in said if errors)
    assert status(environment.target()).state is State.APPLIED
    revert(environment.target())
    assert environment.untrue_records() == []
