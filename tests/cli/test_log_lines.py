"""What a server inside the program logs: lines for a person at a terminal, JSON elsewhere or when asked for."""

import json
import re
import subprocess
import sys

import pytest

from cli.test_terminal import Screen, plain

pytestmark = pytest.mark.once

LINE = re.compile(r"^\d\d:\d\d:\d\d info     POST /v1/organizations/1/agent/run -> 200 in ", re.MULTILINE)


@pytest.fixture(autouse=True)
def talkative(machine):
    machine.extra["CONTEXTEN_LOG_LEVEL"] = "INFO"


def shown(machine):
    screen = Screen(machine, "run", "overview", columns=200)
    try:
        return plain(screen.read())
    finally:
        screen.close()


def test_on_a_terminal_a_record_is_a_line(machine):
    text = shown(machine)
    assert LINE.search(text)
    assert '{"event"' not in text


def test_json_can_be_asked_for(machine):
    machine.extra["CONTEXTEN_LOG_FORMAT"] = "json"
    text = shown(machine)
    assert not LINE.search(text)
    assert '"event": "POST /v1/organizations/1/agent/run -> 200' in text


def test_in_a_pipe_a_record_is_json(machine):
    records = [json.loads(line) for line in machine("run", "overview").stderr.splitlines()]
    assert any(record["event"].startswith("POST /v1/organizations/1/agent/run -> 200") for record in records)


def test_in_a_pipe_lines_can_be_asked_for(machine):
    machine.extra["CONTEXTEN_LOG_FORMAT"] = "text"
    assert LINE.search(machine("run", "overview").stderr)


PROGRAM = """
import logging
from contexten.cli.logs import show_logs
from contexten.settings import ServerSettings

show_logs(ServerSettings())
try:
    raise ValueError("refused Bearer ctx_0123456789abcdef")
except ValueError:
    logging.getLogger("contexten.server").exception("run-1-1 failed [error ba5c]")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_fault_comes_with_its_traceback_and_without_secrets(machine, form):
    machine.extra["CONTEXTEN_LOG_FORMAT"] = form
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=machine.environment, capture_output=True, text=True, check=True
    )
    assert "run-1-1 failed [error ba5c]" in done.stderr
    assert "Traceback (most recent call last)" in done.stderr
    assert "ValueError: refused Bearer [hidden]" in done.stderr
