"""The installer is killed before each of its effects on the file system; what is left works and can be finished."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from codegen_environments import Environment

from contexten.overlay import State, apply, find, revert, status

pytestmark = [pytest.mark.conformance, pytest.mark.chaos]

# Forks for each line `place verb at`, so that Python is started once; the child is killed before its effect number `at`.
KILLER = """
import os, signal, sys
from contexten.overlay import apply, find, revert

EFFECTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}

def do(place, verb, left):
    target = find(target=place)
    def watch(event, args):
        nonlocal left
        writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wx")
        if (writes or event in EFFECTS) and str(args[0]).startswith(place):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
    sys.addaudithook(watch)
    {"apply": apply, "revert": revert}[verb](target)

for line in sys.stdin:
    place, verb, at = line.split()
    child = os.fork()
    if child == 0:
        do(place, verb, int(at))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def killed():
    """Whether `apply` or `revert` was killed before its effect number `at`; False when it has fewer."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLER], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as killer:

        def kill(environment, verb, at):
            killer.stdin.write(f"{environment.site_packages} {verb} {at}\n")
            killer.stdin.flush()
            code = int(killer.stdout.readline())
            assert code in (0, -signal.SIGKILL)
            return code != 0

        yield kill
        killer.stdin.close()


@pytest.fixture
def scratch(tmp_path):
    """A folder, in memory where there is one: what is tested is the order of effects, not the disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else tmp_path))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def small(environment, scratch):
    """The environment with no more of the package than the installer looks at."""
    root = scratch / "small"
    packages = environment.site_packages.relative_to(environment.root)
    for part in ("codegen/agents", environment.record.parent.name):
        shutil.copytree(environment.site_packages / part, root / packages / part)
    shutil.copy(environment.package / "__init__.py", root / packages / "codegen")
    return SmallEnvironment(root)


class SmallEnvironment(Environment):
    """An environment without an interpreter."""

    def target(self):
        return find(target=self.site_packages)

    def copy(self, to):
        return SmallEnvironment(shutil.copytree(self.root, to))


def every_crash(environment, scratch, verb, killed):
    """The environment after a kill before each effect, one after the other."""
    for at in range(200):
        crashed = environment.copy(scratch / str(at))
        if not killed(crashed, verb, at):
            assert at > 10
            return
        yield crashed
        shutil.rmtree(crashed.root)
    raise AssertionError("there is no end to it")


def payload(snapshot):
    return {name: facts for name, facts in snapshot.items() if "/contexten/" in name and name.endswith(".py")}


def test_an_apply_that_is_killed_can_be_finished_or_undone(small, scratch, killed):
    before, original = small.snapshot(), small.agent.read_bytes()
    whole = small.copy(scratch / "whole")
    apply(whole.target())
    after, enhanced = whole.snapshot(), whole.agent.read_bytes()
    for crashed in every_crash(small, scratch, "apply", killed):
        found = status(crashed.target()).state
        assert found in (State.ABSENT, State.INTERRUPTED, State.APPLIED)
        source = crashed.agent.read_bytes()
        assert source in (original, enhanced)
        assert source == original or payload(crashed.snapshot()) == payload(after)
        twin = crashed.copy(scratch / "twin")
        apply(crashed.target())
        assert crashed.snapshot() == after
        revert(twin.target())
        assert twin.snapshot() == before
        shutil.rmtree(twin.root)


def test_a_revert_that_is_killed_can_be_finished_or_undone(small, scratch, killed):
    before = small.snapshot()
    apply(small.target())
    after = small.snapshot()
    for crashed in every_crash(small, scratch, "revert", killed):
        assert status(crashed.target()).state in (State.ABSENT, State.INTERRUPTED, State.APPLIED)
        twin = crashed.copy(scratch / "twin")
        revert(crashed.target())
        assert crashed.snapshot() == before
        apply(twin.target())
        assert twin.snapshot() == after
        shutil.rmtree(twin.root)


def test_the_package_imports_after_a_crash(environments, killed):
    environment = environments()
    before = environment.snapshot()
    for at in (5, 20, 35):
        assert killed(environment, "apply", at)
        environment.run("import codegen; assert codegen.Agent.run.__name__ == 'run'")
        revert(environment.target())
        assert environment.snapshot() == before


def test_two_processes_at_once_leave_one_whole_overlay(environment):
    program = "import sys; from contexten.overlay.__main__ import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", program, "apply", "--target", str(environment.site_packages)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=150) for process in both]
    assert {process.returncode for process in both} <= {0, 1}
    assert [process.returncode for process in both].count(0) >= 1
    assert all("another process" in errors for _, errors in said if errors)
    assert status(environment.target()).state is State.APPLIED
    revert(environment.target())
    assert environment.untrue_records() == []
