"""Somebody else listens where this data's server was: nothing of ours is sent there, and nobody calls it ours."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.once


@pytest.fixture
def stranger():
    """A server that says it is Contexten; gives its address and the headers of every request that came."""
    came = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            came.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Contexten-Version", "0.1.0")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()
        thread.join()


@pytest.fixture
def deserted(machine, stranger):
    """A machine with data, whose server was at the stranger's address."""
    machine("runs", "list")
    path = machine.data / "credentials.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_url": stranger[0]}))
    machine.extra["CONTEXTEN_PORT"] = stranger[0].rpartition(":")[2]
    return machine


@pytest.mark.parametrize("named", [False, True], ids=["found", "named by the environment of earlier"])
def test_a_command_uses_its_own_data(deserted, stranger, named):
    address, came = stranger
    if named:
        deserted.extra["CODEGEN_BASE_URL"] = address
    assert deserted.json("runs", "list")["items"] == []
    assert not any("Authorization" in headers for headers in came)


def test_the_variables_are_not_given_out(deserted, stranger):
    done = deserted("env")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: at {stranger[0]} is a server of other data than ")


def test_it_is_not_called_up(deserted, stranger):
    check = next(check for check in deserted.json("doctor")["checks"] if check["name"] == "server")
    port = stranger[0].rpartition(":")[2]
    assert check["detail"] == f"not up, and port {port} is taken by another Contexten server, with other data"


def test_a_note_that_a_killed_server_left_is_not_believed(deserted, stranger):
    address, came = stranger
    (deserted.data / "server.json").write_text(json.dumps({"pid": 1, "base_url": address, "command": "contexten up"}))
    assert deserted.json("runs", "list")["items"] == []
    assert came == []


def test_the_files_of_the_data_are_for_the_user_alone(machine):
    machine.data.mkdir(parents=True)
    (machine.data / "server.lock").touch(0o644)
    with machine.up():
        modes = {path.name: path.stat().st_mode & 0o777 for path in machine.data.iterdir() if path.is_file()}
    assert {"contexten.sqlite", "credentials.json", "queue.sqlite", "server.json", "server.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}
