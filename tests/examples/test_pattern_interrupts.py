"""Ctrl-C in the example programs."""

import signal
import subprocess
import sys
import time

import pytest
from example_programs import PATTERNS, ROOT, variables

from contexten import CodegenClient
from running_server import running

pytestmark = pytest.mark.once

INTERRUPTED = [("enhanced_agent.py", 0), ("enhanced_agent.py", 1), ("streaming_and_observability.py", 0)]


@pytest.mark.parametrize(("name", "let_through"), INTERRUPTED)
def test_an_interrupt_ends_it_with_130_and_not_a_word(name, let_through, tmp_path):
    """Also in the middle of the batch, which has an event loop and tasks of its own."""
    with running(tmp_path, CONTEXTEN_ENGINE="held") as place, CodegenClient(*address(place)) as client:
        program = subprocess.Popen(
            [sys.executable, "-X", "dev", PATTERNS / name],
            env=variables(place, tmp_path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for number in range(let_through):
            client.cancel_agent_run(held(client, number + 1)[0].id)
        held(client, let_through + 1)
        program.send_signal(signal.SIGINT)
        _, complaints = program.communicate(timeout=150)
    assert (program.returncode, complaints) == (130, "")


def address(place):
    return place.admin.token, 1, place.server.base_url


def held(client, most):
    """The runs, newest first, once there are so many and the newest is under way."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        runs = client.list_agent_runs().items
        if len(runs) >= most and runs[0].status == "RUNNING":
            return runs
        time.sleep(0.02)
    raise AssertionError("the program asked for no run")
