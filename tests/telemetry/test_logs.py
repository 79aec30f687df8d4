import json
import subprocess
import sys

import pytest

from contexten.errors import UsageError
from contexten.telemetry.logs import HIDDEN, configure_logging, hide_secrets

PROGRAM = """
import logging, structlog
from contexten.telemetry.logs import configure_logging
configure_logging("INFO")
structlog.get_logger("ours").info("started", token="ctx_0123456789abcdef", headers={"Authorization": "Bearer abc.def"}, port=8000)
logging.getLogger("theirs").warning("GET https://anna:hunter2@host/ with Bearer abc.def")
try:
    raise RuntimeError("refused ctx_0123456789abcdef")
except RuntimeError:
    structlog.get_logger("ours").exception("failed")
structlog.get_logger("ours").debug("too fine to be seen")
"""


@pytest.fixture(scope="module")
def lines():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_event_is_one_json_object(lines):
    assert [line["event"].split()[0] for line in lines] == ["started", "GET", "failed"]
    assert lines[0]["level"] == "info"
    assert lines[0]["logger"] == "ours"
    assert lines[0]["port"] == 8000
    assert lines[0]["timestamp"].endswith("Z")


def test_no_secret_is_written(lines):
    text = json.dumps(lines)
    for secret in ("ctx_0123456789abcdef", "abc.def", "hunter2"):
        assert secret not in text
    assert lines[0]["token"] == HIDDEN
    assert "RuntimeError" in lines[2]["exception"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bearer abc.def", f"Bearer {HIDDEN}"),
        ("postgresql://anna:pw@host/db", f"postgresql://{HIDDEN}@host/db"),
        ("key sk-abcdefghij and more", f"key {HIDDEN} and more"),
        ("the token count is 12", "the token count is 12"),
        ("http://127.0.0.1:8000/runs/1", "http://127.0.0.1:8000/runs/1"),
    ],
)
def test_secrets_in_text(text, shown):
    assert hide_secrets(text) == shown


def test_a_level_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"'loud'.*INFO"):
        configure_logging("loud")
