"""What gets in from the network: names, origins, sizes, types, odd paths."""

from __future__ import annotations

import socket

import pytest

from contexten.server.guard import HostNames
from contexten.settings import ServerSettings


def names(**values):
    return HostNames(ServerSettings(_env_file=None, **values))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost:3000", "[::1]:8000", "x.localhost", "127.9.9.9"]
)
def test_loopback_names_are_known(host):
    assert names().known(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "10.0.0.1",
     "127.0.0.1:x", "[::1", "localhost/", "evil.example:80,127.0.0.1", "0.0.0.0", "127.0.0.1 evil"],
)  # fmt: skip
def test_other_names_are_not(host):
    assert not names().known(host)


def test_names_from_the_settings_are_known():
    known = names(
        CONTEXTEN_ALLOWED_HOSTS="runs.example.org,*.corp.example", CONTEXTEN_PUBLIC_URL="https://agents.example.org/x"
    )
    for host in ("runs.example.org", "RUNS.example.org:444".lower(), "a.corp.example", "agents.example.org"):
        assert known.known(host)
    for host in ("example.org", "corp.example", "evilcorp.example", "x.runs.example.org"):
        assert not known.known(host)


def test_a_server_for_other_machines_knows_addresses_but_not_any_name():
    known = names(CONTEXTEN_HOST="0.0.0.0", CONTEXTEN_ALLOW_REMOTE=True)
    assert known.known("10.1.2.3:8000")
    assert known.known(socket.gethostname().lower())
    assert not known.known("evil.example")


def test_a_foreign_host_is_refused_before_all_else(place):
    answer = place.admin.http.get("/health", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_pages_of_other_origins_may_not_call(place, origin):
    for method in ("GET", "OPTIONS"):
        answer = place.admin.http.request(method, "/v1/users/me", headers={"Origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_pages_of_its_own_may_call_without_being_named(place):
    answer = place.admin.http.get("/v1/users/me", headers={"Origin": place.admin.base_url})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_body_over_the_limit_is_refused_while_it_is_read(place):
    def endless():
        yield b'{"prompt": "'
        for _ in range(200):
            yield b"x" * 1000

    json_type = {"Content-Type": "application/json"}
    for content in (b"x" * 100_001, endless()):
        answer = place.admin.http.post(place.admin.url("/agent/run"), content=content, headers=json_type)
        assert answer.status_code == 413
        assert answer.json()["message"].startswith("The body is larger than the 100000 bytes")
    assert place.admin.create()["id"]


def test_a_body_of_another_kind_is_refused(place):
    form = place.admin.http.post(place.admin.url("/agent/run"), data={"prompt": "p"})
    assert form.status_code == 415
    assert "application/json" in form.json()["message"]
    bare = place.admin.http.post(place.admin.url("/agent/run"), content=b'{"prompt": "p"}')
    assert bare.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("GET", "/v1/nope", 404), ("DELETE", "/v1/users/me", 405), ("PUT", "/health", 405),
     ("GET", "/v1/users/me/", 404), ("GET", "/%00", 404), ("GET", "/v1/organizations/%2e%2e/users", 422),
     ("PATCH", "/v1/users/me", 405), ("HEAD", "/v1/users/me", 405)],
)  # fmt: skip
def test_every_error_is_a_problem(place, method, path, status):
    answer = place.admin.http.request(method, path)
    assert answer.status_code == status
    if method != "HEAD":
        problem = answer.json()
        assert problem.keys() == {"message", "detail", "status_code", "request_id"}
        assert (problem["status_code"], problem["request_id"]) == (status, answer.headers["X-Request-ID"])
    if status == 405:
        assert answer.headers["Allow"]


def test_the_callers_request_id_is_kept_when_it_is_sane(place):
    for given, kept in (("abc-1.2_3", True), ("a b", False), ("x" * 129, False), ("<script>", False), ("", False)):
        answer = place.nobody.http.get("/nope", headers={"X-Request-ID": given})
        assert (answer.headers["X-Request-ID"] == given) is kept
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
