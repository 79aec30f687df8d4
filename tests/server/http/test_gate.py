"""Who gets to what: tokens, roles and organizations, for every route there is."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from contexten.engines import Engines
from contexten.server.app import create_app
from contexten.server.auth import AdminRoute, GatedRoute, LoopbackRoute
from contexten.server.routes import ROUTERS
from contexten.settings import ServerSettings

ROUTES = [route for router in ROUTERS for route in router.routes]
GATED = [route for route in ROUTES if isinstance(route, GatedRoute) and not isinstance(route, LoopbackRoute)]
OPEN = {"/health", "/livez", "/readyz"}
BODIES = {
    "agent/run": {"prompt": "p"},
    "agent_runs": {"prompt": "p"},
    "resume": {"agent_run_id": 1, "prompt": "p"},
    "repos": {"location": "/nowhere"},
    "tokens": {"name": "n"},
    "generate": {"repo_id": 1},
    "session": {"session_id": "s"},
    "log": {"log": {}},
    "status": {"status": "COMPLETE"},
    "generate-token": {"org_id": 1},
    "organizations": {"name": "n"},
    "check-suite-settings": {},
    "workflows": {"id": "w", "name": "w", "tasks": [{"id": "a", "role": "testing", "prompt": "p"}]},
    "approve": {"task": "a"},
    "retry": {},
}


THINGS = ("agent_run_id", "user_id", "token_id", "repo_id", "pr_id", "sandbox_id", "session_id", "workflow_id")


def requests_of(route, org_id, other_id=1):
    """A request that the route would serve to the right caller."""
    path = route.path.replace("{org_id}", str(org_id))
    for name in THINGS:
        path = path.replace(f"{{{name}}}", str(other_id))
    path = path.replace("{mode}", "plan").replace("{query:words}", "look")
    query = {"org_id": org_id, "repo_id": other_id, "provider": "linear", "q": "x"}
    end = next((key for key in sorted(BODIES, key=len, reverse=True) if path.endswith(key)), None)
    body = BODIES.get(end) or ({"state": "closed"} if "prs" in path else {"agent_run_id": other_id, "prompt": "p"})
    wanted = route.body_field is not None
    query = {} if "words}" in route.path else query
    return {"method": min(route.methods), "url": path, "params": query, "json": body if wanted else None}


def named(route):
    return f"{min(route.methods)} {route.path}"


def test_every_route_is_gated_but_those_that_are_known_to_be_open():
    app = create_app(ServerSettings(_env_file=None), engines=Engines([]))
    assert {route.path for route in ROUTES if not isinstance(route, GatedRoute)} == OPEN
    served = {route.path for route in app.routes if isinstance(route, APIRoute)}
    assert {route.path for route in ROUTES} >= served


@pytest.mark.parametrize("route", GATED, ids=named)
def test_without_a_good_token_nothing_is_told(place, route):
    request = requests_of(route, place.admin.org)
    for header in (None, "Bearer nonsense", "Basic dXNlcjpwdw==", "Bearer", "Bearer \xff", "Bearer " + "a" * 9000):
        headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]
        answer = place.nobody.http.request(**request, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["status_code"] == 401


@pytest.mark.parametrize("route", [route for route in GATED if "{org_id}" in route.path], ids=named)
def test_another_organization_looks_like_none_at_all(place, route):
    theirs = place.admin.http.request(**requests_of(route, place.other.org))
    absent = place.admin.http.request(**requests_of(route, 4444))
    assert theirs.status_code == absent.status_code == 404

    def plain(answer, org):
        body = answer.json()
        del body["request_id"]
        return str(body).replace(str(org), "ORG")

    assert plain(theirs, place.other.org) == plain(absent, 4444)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/oauth/tokens/status?org_id={}", None),
        ("POST", "/v1/oauth/tokens/revoke?provider=x&org_id={}", None),
        ("POST", "/v1/slack-connect/generate-token", "org_id"),
    ],
)
def test_an_organization_named_elsewhere_than_in_the_path_is_checked_too(place, method, path, body):
    for org in (place.other.org, 4444):
        answer = place.admin.http.request(method, path.format(org), json={body: org} if body else None)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "route", [route for route in GATED if any(f"{{{thing}}}" in route.path for thing in THINGS)], ids=named
)
def test_another_organizations_things_look_absent(place, route):
    """Ids of organization 1 asked for within the other organization, where the caller may do everything."""
    kind = "workflows" if "{workflow_id}" in route.path else "agent/run"
    made = place.admin.http.post(place.admin.url(f"/{kind}"), json=BODIES[kind])
    theirs = place.other.http.request(**requests_of(route, place.other.org, made.json()["id"]))
    absent = place.other.http.request(**requests_of(route, place.other.org, 987_654))
    assert theirs.status_code == absent.status_code
    assert theirs.status_code in {404, 501}


@pytest.mark.parametrize("route", [route for route in GATED if min(route.methods) != "GET" and route.writes], ids=named)
def test_a_reader_changes_nothing(place, route):
    answer = place.reader.http.request(**requests_of(route, place.reader.org))
    assert answer.status_code == 403, answer.text
    assert "READ_ONLY" in answer.json()["message"]


@pytest.mark.parametrize("route", [route for route in GATED if isinstance(route, AdminRoute)], ids=named)
def test_a_member_is_no_admin(place, route):
    answer = place.member.http.request(**requests_of(route, place.member.org))
    assert answer.status_code == 403, answer.text


def test_a_reader_and_a_member_do_their_work(place):
    run = place.member.finished("by a member")
    assert place.reader.read(run["id"])["result"] == "by a member"


def test_the_token_is_checked_before_the_body_is_read(place):
    answer = place.nobody.http.post(place.nobody.url("/agent/run"), content=b"{" * 90_000)
    assert answer.status_code == 401


@pytest.mark.parametrize("form", ["{}.0", "+{}", "%20{}", "{}%20", "{}_", "0_{}", "--{}", "{}e0", "%D9%A3", "{}" * 21])
def test_an_organization_is_named_in_digits_alone(place, form):
    for org in (place.admin.org, place.other.org):
        answer = place.admin.http.get(f"/v1/organizations/{form.format(*[org] * 21)}/users")
        assert answer.status_code == 422, answer.text
