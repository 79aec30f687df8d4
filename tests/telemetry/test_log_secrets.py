import json
import subprocess
import sys

import pytest

from contexten.telemetry.logs import HIDDEN, hide_secrets

TOKEN = "ctx_0123456789abcdef"
PROGRAM = f"""
import logging, os, structlog
from contexten.telemetry.logs import configure_logging
configure_logging("INFO", json=JSON)
log = structlog.get_logger("ours")

class Request:
    def __repr__(self):
        return "<Request {TOKEN}>"

def ask(token):
    headers = {{"Authorization": "Bearer " + token}}
    raise ValueError("refused Bearer " + token)

try:
    ask(os.environ["GIVEN"])
except ValueError:
    log.exception("asked")
    logging.getLogger("theirs").exception("asked")
log.info("numbered", data={{1: "{TOKEN}", 2: {{"token": "hunter2"}}}})
log.info("objects", error=ValueError("{TOKEN}"), raw=b"{TOKEN}", several={{"{TOKEN}"}}, request=Request())
log.info("names", cookie="hunter2", passwd="hunter2", private_key="hunter2", credentials="hunter2", input_tokens=5)
logging.getLogger("theirs").info("args %s", {{"api_key": "hunter2"}})
around = {{"token": "hunter2"}}
around["around"] = around
log.info("circle", around=around)
"""


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "terminal"])
def test_no_form_of_a_value_shows_a_secret(as_json):
    program = PROGRAM.replace("JSON", str(as_json))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"GIVEN": TOKEN}
    )
    assert TOKEN not in done.stderr
    assert "hunter2" not in done.stderr
    assert "Logging error" not in done.stderr
    for event in ("asked", "numbered", "objects", "names", "args", "circle"):
        assert event in done.stderr
    assert "ValueError: refused Bearer [hidden]" in done.stderr
    if as_json:
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert next(line for line in lines if line["event"] == "names")["input_tokens"] == 5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{'token': 'hunter2', 'n': 1}", f"{{'token': '{HIDDEN}', 'n': 1}}"),
        ('{"api_key": "hunter2"}', f'{{"api_key": "{HIDDEN}"}}'),
        ("CODEGEN_API_TOKEN=hunter2 make", f"CODEGEN_API_TOKEN={HIDDEN} make"),
        ("GET /x?token=hunter2&skip=1", f"GET /x?token={HIDDEN}&skip=1"),
        ("http://127.0.0.1:8000/?code=hunter2", f"http://127.0.0.1:8000/?code={HIDDEN}"),
        ("authorization: Basic aHVudGVyMg==", f"authorization: Basic {HIDDEN}"),
        ("[(b'authorization', b'Bearer hunter2')]", f"[(b'authorization', b'Bearer {HIDDEN}')]"),
        ("{'authorization': 'hunter2'}", f"{{'authorization': '{HIDDEN}'}}"),
        ("bearer hunter2", f"bearer {HIDDEN}"),
        ('{"Authorization": "Bearer hunter2"}', f'{{"Authorization": "Bearer {HIDDEN}"}}'),
        ("There is no token: start the server.", "There is no token: start the server."),
        ('{"input_tokens": 5}', '{"input_tokens": 5}'),
        ("status_code=404", "status_code=404"),
    ],
)
def test_secrets_in_more_text(text, shown):
    assert hide_secrets(text) == shown
