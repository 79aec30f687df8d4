"""Event streams over HTTP: catch-up, end, heartbeat, revoked tokens, clients that leave or do not read."""

from __future__ import annotations

import json
import socket
import threading
import time

import httpx2
import pytest

from waiting import until


def events_of(response):
    """Events and comments of an open stream as they come."""
    event = {}
    for line in response.iter_lines():
        if not line:
            if "data" in event:
                yield event
            event = {}
        elif line.startswith(":"):
            yield {"comment": line}
        else:
            name, _, value = line.partition(": ")
            event[name] = value


def follow(caller, path, **headers):
    """All events until the stream ends."""
    with caller.http.stream("GET", path, headers=headers, timeout=60) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return [event for event in events_of(response) if "data" in event]


def test_a_runs_stream_tells_everything_and_ends_by_itself(admin):
    run = admin.create("watch me")
    events = follow(admin, admin.url(f"/agent/run/{run['id']}/events"))
    data = [json.loads(event["data"]) for event in events]
    assert [each["event"] for each in data] == [event["event"] for event in events]
    assert [str(each["id"]) for each in data] == [event["id"] for event in events]
    assert [each["entry"]["message_type"] for each in data if each["event"] == "log"] == [
        "USER_MESSAGE", "ACTION", "FINAL_ANSWER",
    ]  # fmt: skip
    assert (data[-1]["status"], data[-1]["result"]) == ("COMPLETE", "watch me")
    assert [each["position"] for each in data if each["event"] == "log"] == [0, 1, 2]


def test_a_client_comes_back_at_any_point(admin):
    run = admin.finished("again")
    path = admin.url(f"/agent/run/{run['id']}/events")
    everything = follow(admin, path)
    for seen in range(len(everything) + 1):
        last = everything[seen - 1]["id"] if seen else "0"
        assert follow(admin, path, **{"Last-Event-ID": last}) == everything[seen:]
        assert follow(admin, f"{path}?after={last}") == everything[seen:]
    assert follow(admin, f"{path}?after=0", **{"Last-Event-ID": everything[0]["id"]}) == everything[1:]


def test_a_resumed_run_is_told_to_its_new_end(admin):
    run = admin.finished("one")
    admin.http.post(admin.url("/agent/run/resume"), json={"agent_run_id": run["id"], "prompt": "two"})
    data = [json.loads(event["data"]) for event in follow(admin, admin.url(f"/agent/run/{run['id']}/events"))]
    assert [each["turn"] for each in data if each.get("status") == "COMPLETE"] == [1, 2]
    assert data[-1]["result"] == "two"


def test_a_client_chooses_the_kinds_of_events(admin):
    run = admin.finished("kinds")
    path = admin.url(f"/agent/run/{run['id']}/events")
    everything = follow(admin, path)
    for kind in ("log", "status"):
        assert follow(admin, f"{path}?kinds={kind}") == [event for event in everything if event["event"] == kind]
    assert follow(admin, f"{path}?kinds=log&kinds=status") == everything
    assert admin.http.get(f"{path}?kinds=moon").status_code == 422


def test_a_deletion_is_told_to_its_organization_alone(place):
    admin, other = place.admin, place.other
    run = admin.finished("soon gone")
    path = "/events?kinds=deleted&kinds=status"
    with (
        admin.http.stream("GET", admin.url(path), timeout=60) as ours,
        other.http.stream("GET", other.url(path), timeout=60) as theirs,
    ):
        heard = [(event for event in events_of(stream) if "data" in event) for stream in (ours, theirs)]
        assert [next(events)["event"] for events in heard] == ["open", "open"]
        assert admin.http.delete(admin.url(f"/agent/run/{run['id']}")).status_code == 200
        told = next(heard[0])
        assert (told["event"], json.loads(told["data"])["agent_run_id"]) == ("deleted", run["id"])
        other.create("mine")
        assert next(heard[1])["event"] == "status"
    with admin.http.stream("GET", admin.url(f"{path}&after={int(told['id']) - 1}"), timeout=60) as again:
        assert [event for event, _ in zip(events_of(again), range(2), strict=False)][1] == told


def test_a_stopped_run_ends_its_streams(admin):
    run = admin.create(engine="held")
    found = []
    watcher = threading.Thread(target=lambda: found.extend(follow(admin, admin.url(f"/agent/run/{run['id']}/events"))))
    watcher.start()
    admin.until(run["id"], lambda run: run["log_count"] == 2)
    admin.http.post(f"/v1/beta/organizations/{admin.org}/agent/run/stop", json={"agent_run_id": run["id"]})
    watcher.join(150)
    assert json.loads(found[-1]["data"])["status"] == "CANCELLED"


def test_the_organizations_stream_goes_on_and_shows_no_other(place):
    admin = place.admin
    with admin.http.stream("GET", admin.url("/events"), timeout=60) as response:
        stream = events_of(response)
        opening = next(stream)
        assert (opening["event"], opening["data"]) == ("open", "{}")
        theirs, ours = place.other.create("theirs"), [admin.create("a")["id"], admin.create("b")["id"]]
        done = set()
        while done != set(ours):
            event = next(stream)
            if "data" in event:
                data = json.loads(event["data"])
                assert int(event["id"]) > int(opening["id"])
                assert data["agent_run_id"] != theirs["id"]
                done |= {data["agent_run_id"]} if data.get("status") == "COMPLETE" else set()


def test_silence_is_filled_with_comments(admin):
    with admin.http.stream("GET", admin.url("/events"), timeout=60) as response:
        stream = events_of(response)
        next(stream)
        comments = [next(stream) for _ in range(3)]
    assert all(comment["comment"].startswith(":") for comment in comments)


def test_a_revoked_token_loses_its_stream(admin):
    made = admin.http.post(admin.url("/tokens"), json={"name": "brief"}).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    with httpx2.stream("GET", admin.base_url + admin.url("/events"), headers=bearer, timeout=60) as response:
        stream = events_of(response)
        next(stream)
        admin.http.delete(admin.url(f"/tokens/{made['id']}"))
        deadline = time.monotonic() + 150
        for _ in stream:
            assert time.monotonic() < deadline, "heartbeats for ever"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", str(2**63), "0" * 20 + "9" * 20, "٣"])
def test_an_event_id_that_cannot_be_one_is_refused(admin, last):
    run = admin.finished()
    headers = [(b"Last-Event-ID", last.encode())]
    answer = admin.http.get(admin.url(f"/agent/run/{run['id']}/events"), headers=headers)
    assert answer.status_code == 422


def test_a_client_that_leaves_frees_everything(place):
    admin, hub = place.admin, place.hub
    until(lambda: not hub.watched)
    run = admin.create(engine="held")
    with admin.http.stream("GET", admin.url(f"/agent/run/{run['id']}/events")) as response:
        events = events_of(response)
        next(events)
        until(lambda: hub.watched)
    until(lambda: not hub.watched)


def test_a_client_that_does_not_read_holds_nobody_up(place):
    admin = place.admin
    host, port = admin.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        head = f"GET {admin.url('/events')} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {admin.token}\r\n\r\n"
        stuck.sendall(head.encode())
        until(lambda: place.hub.watched)
        for _ in range(5):
            assert admin.finished("x" * 9000)["status"] == "COMPLETE"
    until(lambda: not place.hub.watched)


def test_an_id_ahead_of_all_events_is_taken_as_the_newest(admin):
    run_id = admin.http.post(admin.url("/claude_code/session"), json={"session_id": "ahead"}).json()["agent_run_id"]
    path = admin.url(f"/agent/run/{run_id}/events")
    with admin.http.stream("GET", path, headers={"Last-Event-ID": str(2**62)}, timeout=60) as response:
        admin.http.post(admin.url("/claude_code/session/ahead/status"), json={"status": "COMPLETE"})
        told = [json.loads(event["data"]) for event in events_of(response) if "data" in event]
    assert [event["status"] for event in told] == ["COMPLETE"]
    with admin.http.stream("GET", admin.url(f"/events?after={2**62}"), timeout=60) as response:
        assert int(next(events_of(response))["id"]) < 2**62
