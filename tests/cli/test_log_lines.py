"""What a server inside the program logs: lines for a person at a terminal, JSON elsewhere or when asked for."""

import json
import re

import pytest

from cli.test_terminal import Screen, plain

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
