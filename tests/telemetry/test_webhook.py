import json
import time

import pytest

from contexten.errors import UsageError
from contexten.telemetry.alerts import Alert, AlertRule, Alerts, AlertState, webhook
from fault_proxy import Answer, Drip, Pass, Proxy, Raw, Silence

CHANGE = Alert("errors", AlertState.FIRED, 0.75, 0.5, "critical", "too many errors", "2026-01-01T00:00:00Z")


RECEIVED = Answer(204, b"")


def receiver(fault=RECEIVED):
    return Proxy(then=fault)


def body_of(request):
    return request.partition(b"\r\n\r\n")[2]


def test_it_receives_the_change_as_json():
    with receiver() as there:
        Alerts([AlertRule("errors", lambda: 0.75, ">", 0.5)], [webhook(f"{there.base_url}/hook")]).evaluate()
    [request] = there.requests
    assert request.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in request
    told = json.loads(body_of(request))
    assert (told["rule"], told["state"], told["value"], told["threshold"]) == ("errors", "fired", 0.75, 0.5)


def test_a_figure_without_end_is_still_json():
    with receiver() as there:
        webhook(there.base_url)(Alert("errors", AlertState.FIRED, float("inf"), 0.5, "critical", "", ""))
    assert json.loads(body_of(there.requests[0]), parse_constant=pytest.fail)["value"] is None


@pytest.mark.parametrize("fault", [Silence(), Drip(head=True)], ids=str)
def test_an_answer_that_does_not_come_is_given_up_in_time(fault):
    with receiver(fault) as there:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            webhook(there.base_url, timeout=0.3)(CHANGE)
        assert time.monotonic() - began < 100


def test_while_a_post_hangs_there_is_no_other():
    with receiver(Drip(head=True)) as there:
        post = webhook(there.base_url, timeout=0.2)
        for message in ("within 0.2 s", "still under way", "still under way"):
            with pytest.raises(TimeoutError, match=message):
                post(CHANGE)
        deadline = time.monotonic() + 150
        while not there.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert len(there.requests) == 1


def test_a_body_without_end_is_not_read():
    with receiver(Drip()) as there:
        webhook(there.base_url, timeout=60)(CHANGE)


@pytest.mark.parametrize("fault", [Answer(500), Raw(b"garbage\r\n\r\n"), Raw(b"")], ids=str)
def test_a_failing_server_is_logged_and_harms_no_other_target(fault, caplog):
    told = []
    with receiver(fault) as there:
        Alerts([AlertRule("errors", lambda: 1, ">", 0.5)], [webhook(there.base_url), told.append]).evaluate()
    assert len(told) == 1
    assert [record.message for record in caplog.records] == ["alert target failed"]


def test_no_redirect_is_followed_and_the_address_is_not_logged(caplog):
    with receiver(Pass()) as elsewhere, receiver(Answer(302, headers={"Location": elsewhere.base_url})) as there:
        post = webhook(f"{there.base_url}/SECRET")
        Alerts([AlertRule("errors", lambda: 1, ">", 0.5)], [post]).evaluate()
        assert elsewhere.requests == []
    assert "HTTP Error 302" in caplog.text
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/SECRET",
        "ftp://host/SECRET",
        "SECRET",
        "",
        "http://",
        "http:///SECRET",
        "http://host:SECRET/",
        "https://me:SECRET@host/",
    ],
)
def test_it_takes_web_addresses_only_and_shows_none(address):
    with pytest.raises(UsageError, match="http or https") as caught:
        webhook(address)
    assert "SECRET" not in str(caught.value)


def test_a_time_that_cannot_be_meant_is_refused():
    with pytest.raises(UsageError, match="got 0"):
        webhook("https://host/", timeout=0)
