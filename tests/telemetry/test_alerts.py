import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.errors import UsageError
from contexten.telemetry.alerts import AlertRule, Alerts, AlertState, webhook


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Figure:
    value = None

    def __call__(self):
        return self.value


def alerts(for_seconds=0.0, targets=None):
    figure, clock = Figure(), Clock()
    rule = AlertRule("errors", figure, ">", 0.5, for_seconds, "critical", "too many errors")
    return Alerts([rule], targets, clock=clock), figure, clock


def test_it_fires_once_and_resolves_once():
    told = []
    watched, figure, _ = alerts(targets=[told.append])
    for value in (0.1, 0.9, 0.9, 0.2, 0.2):
        figure.value = value
        watched.evaluate()
    assert [(a.rule, a.state, a.value) for a in told] == [
        ("errors", AlertState.FIRED, 0.9),
        ("errors", AlertState.RESOLVED, 0.2),
    ]


def test_it_waits_for_the_whole_duration_and_a_break_starts_it_again():
    watched, figure, clock = alerts(for_seconds=10)
    for now, value, firing in [(0, 1, []), (9, 1, []), (9.5, 0, []), (10, 1, []), (19, 1, []), (20, 1, ["errors"])]:
        clock.now, figure.value = now, value
        watched.evaluate()
        assert watched.firing == firing


def test_an_unknown_figure_changes_nothing():
    watched, figure, _ = alerts()
    figure.value = 1
    watched.evaluate()
    figure.value = None
    assert watched.evaluate() == []
    assert watched.firing == ["errors"]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=40))
def test_changes_always_alternate_between_fired_and_resolved(values):
    watched, figure, clock = alerts(for_seconds=2)
    changes = []
    for clock.now, figure.value in enumerate(values):
        changes += [change.state for change in watched.evaluate()]
    expected = [AlertState.FIRED, AlertState.RESOLVED] * len(changes)
    assert changes == expected[: len(changes)]
    assert bool(watched.firing) == (len(changes) % 2 == 1)


def test_a_failing_target_is_logged_and_harms_no_other(caplog):
    def broken(_alert):
        raise RuntimeError("target down")

    told = []
    watched, figure, _ = alerts(targets=[broken, told.append])
    figure.value = 1
    watched.evaluate()
    assert [a.state for a in told] == [AlertState.FIRED]
    (record,) = caplog.records
    assert (record.message, record.rule, record.state) == ("alert target failed", "errors", "fired")
    assert record.exc_info[0] is RuntimeError


def test_a_webhook_receives_the_change_as_json():
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        watched, figure, _ = alerts(targets=[webhook(f"http://127.0.0.1:{server.server_port}/alerts")])
        figure.value = 0.75
        watched.evaluate()
        server.shutdown()
        thread.join()
    assert received[0]["rule"] == "errors"
    assert received[0]["state"] == "fired"
    assert received[0]["value"] == 0.75


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://host/", "no-address", ""])
def test_a_webhook_takes_web_addresses_only(address):
    with pytest.raises(UsageError, match="http or https"):
        webhook(address)


def test_wrong_rules_are_refused_with_the_value():
    with pytest.raises(UsageError, match="'=='"):
        AlertRule("a", lambda: 1, "==", 1)
    with pytest.raises(UsageError, match="-1"):
        AlertRule("a", lambda: 1, ">", 1, for_seconds=-1)
