"""Clients that ask for much and take nothing of it."""

import socket

import pytest

from contexten.server import ports
from waiting import until


def reading_nothing(caller, path):
    """A connection that has asked for a path and takes nothing of the answer."""
    host, port = caller.base_url.removeprefix("http://").split(":")
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    stuck.connect((host, int(port)))
    stuck.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {caller.token}\r\n\r\n".encode())
    return stuck


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="other systems keep the connection")
@pytest.mark.parametrize("what", ["events", "logs"])
def test_a_client_that_reads_nothing_is_let_go_with_all_that_waits_for_it(start, monkeypatch, what):
    monkeypatch.setattr(ports, "STUCK_SECONDS", 1)
    with start() as place:
        admin, kept = place.admin, place.server._server.server_state.connections
        run_id = admin.http.post(admin.url("/claude_code/session"), json={"session_id": "s"}).json()["agent_run_id"]
        for _ in range(60):
            line = {"log": {"text": "x" * 90_000}}
            assert admin.http.post(admin.url("/claude_code/session/s/log"), json=line).status_code == 200
        before = set(kept)
        with reading_nothing(admin, admin.url(f"/agent/run/{run_id}/{what}")):
            until(lambda: kept - before)
            (stuck,) = kept - before
            until(lambda: stuck not in kept)
            until(lambda: not place.hub.watched)
