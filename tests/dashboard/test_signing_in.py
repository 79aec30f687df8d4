"""The door before the pages, as programs and browsers meet it."""

import http.client
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import pytest

from contexten.dashboard.hosting.front import dashboard
from contexten.dashboard.hosting.guesses import FAILURES, Guesses
from running_server import running

HTML = {"Accept": "text/html,*/*"}
SESSION = "/_dashboard/session"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("front"), front=dashboard) as place:
        yield place


@pytest.fixture
def browser(place):
    """Requests of a browser that has no cookie yet."""
    with httpx2.Client(base_url=place.admin.base_url, headers=HTML, timeout=60) as client:
        yield client


@pytest.fixture
def another(place):
    with httpx2.Client(base_url=place.admin.base_url, headers=HTML, timeout=60) as client:
        yield client


def link(caller, path="/"):
    made = caller.http.post(caller.url("/sign-in-links"))
    assert made.status_code == 200, made.text
    parts = urlsplit(made.json()["url"])
    return f"{path}?{parts.query}"


def secret_in(client):
    [secret] = client.cookies.values()
    return secret


def sessions(caller):
    tokens = caller.http.get(caller.url("/tokens")).json()
    return {token["id"]: token for token in tokens if token["expires_at"]}


def test_a_link_begins_a_session_and_leaves_no_trace_in_the_address(place, browser):
    answer = browser.get(link(place.admin, "/runs/7"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/7")
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"contexten_{urlsplit(place.admin.base_url).port}=ctx_")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie
    assert browser.get(SESSION).status_code == 204


def test_a_link_works_once_for_whoever_is_first(place):
    address = f"{place.admin.base_url}{link(place.admin)}"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: httpx2.get(address, headers=HTML, timeout=60), range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [401] * 7
    late = next(answer for answer in answers if answer.status_code == 401)
    assert "contexten dashboard --open" in late.text
    assert "set-cookie" not in late.headers


def test_a_used_link_is_no_trouble_to_the_browser_that_used_it(place, browser):
    address = link(place.admin)
    browser.get(address)
    again = browser.get(address)
    assert (again.status_code, again.headers["location"]) == (303, "/")
    assert browser.get(SESSION).status_code == 204


def test_a_link_that_is_too_old_signs_nobody_in(place, browser):
    address = link(place.admin)
    with sqlite3.connect(place.database) as connection:
        connection.execute("UPDATE sign_in_links SET expires_at = 0")
    connection.close()
    assert browser.get(address).status_code == 401


def test_a_session_that_is_too_old_has_ended(place, browser):
    browser.get(link(place.member))
    with sqlite3.connect(place.database) as connection:
        connection.execute("UPDATE tokens SET expires_at = 1 WHERE expires_at IS NOT NULL AND role = 'MEMBER'")
    connection.close()
    assert browser.get(SESSION).status_code == 401
    bearer = {"Authorization": f"Bearer {secret_in(browser)}"}
    assert browser.get("/v1/users/me", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    "header",
    [{"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "iframe"}, {"Sec-Purpose": "prefetch;prerender"}],
    ids=lambda header: next(iter(header.values())),
)
def test_only_a_person_who_opens_it_uses_a_link_up(place, browser, header):
    address = link(place.admin)
    assert "set-cookie" not in browser.get(address, headers=header).headers
    assert "set-cookie" not in browser.head(address).headers
    assert browser.get(address).status_code == 303


@pytest.mark.parametrize("path", ["//evil.example/", "/%5Cevil.example", "/%2F%2Fevil.example"])
def test_no_link_leads_elsewhere(place, path):
    server = urlsplit(place.admin.base_url)
    connection = http.client.HTTPConnection(server.hostname, server.port, timeout=60)
    connection.request("GET", link(place.admin, path), headers=HTML)
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 303
    assert answer.headers["Location"].startswith("/")
    assert not answer.headers["Location"].startswith(("//", "/\\"))


def test_a_session_has_the_role_of_the_token_that_made_the_link(place, browser):
    browser.get(link(place.reader))
    bearer = {"Authorization": f"Bearer {secret_in(browser)}"}
    assert browser.get("/v1/users/me", headers=bearer).status_code == 200
    refused = browser.post(place.reader.url("/agent/run"), headers=bearer, json={"prompt": "hello"})
    assert refused.status_code == 403


def test_a_token_of_the_api_is_no_session(place, browser):
    browser.cookies.set(f"contexten_{urlsplit(place.admin.base_url).port}", place.admin.token)
    assert browser.get(SESSION).status_code == 401


def test_signing_out_ends_the_session_for_everybody_who_has_its_cookie(place, browser, another):
    browser.get(link(place.admin))
    another.cookies.update(browser.cookies)
    answer = browser.post("/sign-out", headers={"Origin": place.admin.base_url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert not browser.cookies
    assert another.get(SESSION).status_code == 401


def test_another_page_signs_nobody_out(place, browser):
    browser.get(link(place.admin))
    assert browser.post("/sign-out", headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.get(SESSION).status_code == 204


def test_a_new_session_takes_the_place_of_the_one_before(place, browser):
    before = sessions(place.admin)
    browser.get(link(place.admin))
    browser.get(link(place.admin))
    made = [token for number, token in sessions(place.admin).items() if number not in before]
    assert [token["revoked_at"] is None for token in made] == [False, True]


def test_a_session_ends_when_it_is_revoked_or_the_token_that_made_it(place, browser, another):
    made = place.admin.http.post(place.admin.url("/tokens"), json={"name": "phone", "role": "MEMBER"}).json()
    phone = type(place.admin)(place.admin.base_url, place.admin.org, made["token"])
    before = sessions(place.admin)
    browser.get(link(phone))
    another.get(link(phone))
    first, second = (number for number in sessions(place.admin) if number not in before)
    pending = link(phone)
    place.admin.http.delete(place.admin.url(f"/tokens/{first}"))
    assert (browser.get(SESSION).status_code, another.get(SESSION).status_code) == (401, 204)
    place.admin.http.delete(place.admin.url(f"/tokens/{made['id']}"))
    assert another.get(SESSION).status_code == 401
    assert sessions(place.admin)[second]["revoked_at"]
    assert browser.get(pending).status_code == 401
    phone.http.close()


def test_a_session_does_not_count_as_an_admin_token(place, browser):
    browser.get(link(place.other))
    [number] = [
        token["id"] for token in place.other.http.get(place.other.url("/tokens")).json() if not token["expires_at"]
    ]
    answer = place.other.http.delete(place.other.url(f"/tokens/{number}"))
    assert answer.status_code == 409


def test_nobody_else_sees_a_page_or_opens_a_connection(place, browser):
    for path in ("/", "/runs/1", "/assets/anything.js", "/settings"):
        answer = browser.get(path)
        assert answer.status_code == 401
        assert "contexten dashboard --open" in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert upgrade(place, {"Origin": place.admin.base_url}) == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null", None])
def test_a_connection_is_opened_only_by_pages_of_this_server(place, browser, origin):
    browser.get(link(place.admin))
    name, secret = next(iter(browser.cookies.items()))
    headers = {"Cookie": f"{name}={secret}"} | ({"Origin": origin} if origin else {})
    assert upgrade(place, headers) == 403


def upgrade(place, headers):
    """The status that a request for a connection is answered with."""
    server = urlsplit(place.admin.base_url)
    connection = http.client.HTTPConnection(server.hostname, server.port, timeout=60)
    wanted = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    connection.request("GET", "/_dashboard/_event/?EIO=4&transport=websocket", headers=wanted | headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_programs_are_told_of_addresses_that_are_not_there(place, browser):
    for client, path in ((place.nobody.http, "/nothing"), (place.admin.http, "/nothing"), (browser, "/v1/nothing")):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["status_code"] == 404
    assert browser.post("/nothing").json()["status_code"] == 404


def test_a_run_has_one_address_for_programs_and_for_people(place, browser):
    run = place.admin.finished()
    path = urlsplit(run["web_url"]).path
    assert place.admin.http.get(path, headers=HTML).json()["id"] == run["id"]
    assert browser.get(path).headers["content-type"].startswith("text/html")


def test_without_its_packages_the_dashboard_says_how_to_install_it(place, browser, monkeypatch):
    monkeypatch.setitem(sys.modules, "reflex", None)
    answer = browser.get("/")
    assert answer.status_code == 503
    assert "pip install &#x27;contexten[dashboard]&#x27;" in answer.text
    assert browser.get("/nothing", headers={"Accept": "*/*"}).status_code == 404


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 at hand")
def test_an_address_that_guesses_has_to_wait(place):
    statuses = [from_elsewhere(place, "/?code=guess") for _ in range(FAILURES + 1)]
    assert statuses == [401] * FAILURES + [429]
    good = link(place.admin)
    assert from_elsewhere(place, good) == 429
    assert httpx2.get(f"{place.admin.base_url}{good}", headers=HTML, timeout=60).status_code == 303


def from_elsewhere(place, path):
    """The status of an answer to another address of the loopback network."""
    server = urlsplit(place.admin.base_url)
    connection = http.client.HTTPConnection(server.hostname, server.port, timeout=60, source_address=("127.0.0.9", 0))
    connection.request("GET", path, headers=HTML)
    status = connection.getresponse().status
    connection.close()
    return status


def test_guesses_are_counted_for_each_address():
    guesses = Guesses()
    for _ in range(FAILURES):
        assert guesses.may("1.2.3.4")
        guesses.failed("1.2.3.4")
    assert not guesses.may("1.2.3.4")
    assert guesses.may("1.2.3.5")
