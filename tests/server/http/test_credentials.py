"""The admin whom the settings let in, and how a server ends in peace."""

import logging
import secrets
import signal

import httpx2
import pytest

from contexten.client.local import LocalCredentials
from contexten.errors import SettingsError
from contexten.server.metrics_port import MetricsPort
from contexten.server.ports import bind
from contexten.server.serve import Embedded, serve
from running_server import Caller, engines, running

TOKEN = secrets.token_urlsafe(32)


def test_the_token_of_the_settings_is_an_admins_on_new_data_and_on_old(tmp_path):
    with running(tmp_path) as place:
        first = place.admin.token
    for secret in (TOKEN, f"{TOKEN}-changed"):
        with running(tmp_path, CONTEXTEN_ADMIN_TOKEN=secret) as place:
            assert place.admin.token == first  # clients of this machine keep theirs
            for known in (secret, TOKEN):
                with Caller(place.admin.base_url, 1, known).http as http:
                    assert http.get("/v1/users/me").json()["role"] == "ADMIN"
            made = [token["name"] for token in place.admin.http.get(place.admin.url("/tokens")).json()]
    assert made.count("from the settings") == 2


def test_a_first_start_has_no_other_token(tmp_path):
    with running(tmp_path, CONTEXTEN_ADMIN_TOKEN=TOKEN) as place:
        assert place.admin.token == TOKEN
        assert LocalCredentials.read(place.database.parent).token == TOKEN


def test_a_token_that_was_revoked_stays_so(tmp_path, caplog):
    with running(tmp_path) as place:
        kept = place.admin.token
    with running(tmp_path, CONTEXTEN_ADMIN_TOKEN=TOKEN) as place:
        (mine,) = [
            t for t in place.admin.http.get(place.admin.url("/tokens")).json() if t["name"] == "from the settings"
        ]
        assert place.admin.http.delete(place.admin.url(f"/tokens/{mine['id']}")).is_success
    with caplog.at_level(logging.WARNING), running(tmp_path, CONTEXTEN_ADMIN_TOKEN=TOKEN) as place:
        assert place.admin.token == kept
        assert (
            httpx2.get(f"{place.admin.base_url}/v1/users/me", headers={"Authorization": f"Bearer {TOKEN}"}).status_code
            == 401
        )
    assert "CONTEXTEN_ADMIN_TOKEN was revoked" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("secret", ["changeme", "x" * 31, "x" * 201, "with a blank " * 4])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused_unseen(settings, secret):
    with pytest.raises(SettingsError, match="CONTEXTEN_ADMIN_TOKEN cannot be used") as told:
        Embedded(settings(CONTEXTEN_ADMIN_TOKEN=secret), engines=engines()).__enter__()
    assert secret not in str(told.value)


def test_figures_are_for_other_machines_only_with_leave(settings):
    with pytest.raises(SettingsError, match="CONTEXTEN_ALLOW_REMOTE"):
        MetricsPort(settings(CONTEXTEN_METRICS_PORT=0, CONTEXTEN_METRICS_HOST="0.0.0.0"))


def test_a_port_for_figures_that_is_taken_comes_with_its_own_option(settings):
    with bind(settings(CONTEXTEN_PORT=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match="CONTEXTEN_METRICS_PORT or --metrics-port"):
            serve(settings(CONTEXTEN_PORT=0, CONTEXTEN_METRICS_PORT=port))


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait_for_runs_under_way(program, tmp_path, second):
    process, base_url = program(CONTEXTEN_DRAIN="3600")
    caller = Caller(base_url, 1, LocalCredentials.read(tmp_path / "data").token)
    run = caller.create()["id"]
    caller.until(run, lambda run: run["status"] == "RUNNING")
    process.send_signal(signal.SIGTERM)
    assert any("Told to stop" in line for line in process.stderr)
    ready = caller.http.get("/readyz")
    assert (ready.status_code, "told to stop" in ready.json()["message"]) == (503, True)
    assert caller.http.get("/livez").status_code == 200
    assert caller.read(run)["status"] == "RUNNING"
    process.send_signal(second)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (0, "done")
    caller.http.close()
