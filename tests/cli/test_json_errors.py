"""With --json an error is one JSON object on standard error, whatever command it is and whatever went wrong."""

import json

import pytest

from contexten.cli.nouns import NOUNS

pytestmark = pytest.mark.once


def error_of(done):
    assert done.stdout == ""
    return json.loads(done.stderr)["error"]


@pytest.mark.parametrize(
    ("words", "code", "kind", "message"),
    [
        (("runs", "show", "one"), 2, "BadParameter", "'RUN' is 'one'"),
        (("run", ""), 2, "UsageError", "the prompt is empty"),
        (("rnu",), 2, "UsageError", "there is no command 'rnu'"),
        (("env",), 1, "ConnectError", "no server was started yet"),
        (("overlay", "status", "--target", "/"), 1, "CodegenNotFoundError", "Codegen package not found"),
        (("code", "overview", "/nowhere"), 2, "", "/nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_fails_without_a_server(machine, words, code, kind, message):
    done = machine(*words, "--json")
    error = error_of(done)
    assert (done.returncode, error["exit_code"]) == (code, code)
    assert error["type"] == kind or not kind
    assert message in error["message"]


@pytest.mark.parametrize("noun", NOUNS)
def test_wrong_use_of_every_command(machine, noun):
    done = machine(noun, "--json", "--qqq")
    assert done.returncode == 2
    assert "--qqq" in done.stderr or "--json" in done.stderr
    assert error_of(done)["exit_code"] == 2


def test_what_a_server_answers(live):
    done = live("runs", "show", "9999", "--json")
    error = error_of(done)
    assert (done.returncode, error["status_code"], error["type"]) == (1, 404, "NotFoundError")
    assert "no run 9999" in error["message"]
    assert "There is no run 9999" in error["detail"]
    assert error["request_id"]


def test_without_json_it_is_a_line(live):
    assert live("runs", "show", "9999").stderr.startswith("error: no run 9999")
