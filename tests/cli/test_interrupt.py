"""Ctrl-C while a run is followed: what becomes of the run, and what the person is told."""

import subprocess
import sys

import pytest

from running_server import running

FINALIZED = """
import signal, time
from contexten.cli import interrupts

class Finalized:
    def __init__(self, work):
        self.work = work
    def __del__(self):
        self.work()
"""


def python(program):
    words = [sys.executable, "-c", program]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def held(machine, tmp_path):
    """A machine whose server has an engine that works until it is stopped."""
    with running(tmp_path / "server") as place:
        machine.extra = {"CODEGEN_BASE_URL": place.admin.base_url, "CODEGEN_API_TOKEN": place.admin.token}
        yield machine


def started(process):
    """The number of the run that the program has begun to show, once its first step is there."""
    number = process.stdout.readline().split()[1]
    assert "holding" in process.stdout.readline()
    return number


def test_a_run_on_a_server_goes_on_and_can_be_followed_and_cancelled(held):
    process = held.start("run", "hold on", "--engine", "held")
    number = started(process)
    _, err, code = held.interrupt(process)
    assert code == 130
    assert err == (
        f"run {number} goes on. Follow it: contexten runs logs {number} --follow\nStop it: contexten runs cancel {number}\n"
    )
    assert held.json("runs", "show", number)["status"] == "RUNNING"
    assert held("runs", "cancel", number).stdout == f"run {number} cancelled\n"
    assert held.json("runs", "show", number)["status"] == "CANCELLED"


def test_a_followed_log_is_left_without_a_word_about_the_run(held):
    number = str(held.json("run", "hold on", "--engine", "held", "--no-follow")["id"])
    process = held.start("runs", "logs", number, "--follow")
    assert "hold on" in process.stdout.readline()
    _, err, code = held.interrupt(process)
    assert (err, code) == ("", 130)
    held("runs", "cancel", number)


def test_a_run_that_is_cancelled_elsewhere_fails(held):
    process = held.start("run", "hold on", "--engine", "held")
    number = started(process)
    held("runs", "cancel", number)
    out, _ = process.communicate(timeout=150)
    assert process.returncode == 1
    assert "  cancelled in " in out


def test_a_run_of_a_server_inside_the_program_is_cancelled(machine, held_git):
    machine.extra["PATH"] = held_git.path
    process = machine.start("run", held_git.QUESTION)
    machine.extra.clear()
    assert process.stdout.readline().startswith("  run 1 ")
    machine.until(lambda: held_git.is_waited_for, "the engine at work")
    _, err, code = machine.interrupt(process)
    assert (err, code) == ('run 1 was cancelled. Continue it: contexten runs resume 1 "…"\n', 130)
    assert machine.json("runs", "show", "1")["status"] == "CANCELLED"


def test_an_interrupt_that_falls_into_a_finalizer_is_given_again():
    program = """
interrupts.keep()
Finalized(lambda: 1 / 0)
try:
    Finalized(lambda: signal.raise_signal(signal.SIGINT))
    time.sleep(60)  # it was dropped
except KeyboardInterrupt:
    print("given again")
"""
    done = python(FINALIZED + program)
    assert done.stdout == "given again\n"
    assert done.stderr.count("Exception ignored") == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_server_that_starts_ends_although_its_signal_falls_into_a_finalizer(name):
    program = f"""
from contexten.cli import _stop_at_once
_stop_at_once()
Finalized(lambda: signal.raise_signal(signal.{name}))
time.sleep(60)
print("it was lost")
"""
    done = python(FINALIZED + program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
