"""Our own description: readable pages with nothing from elsewhere, and a server that keeps to what it says."""

from __future__ import annotations

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test

from contexten.server.app import create_app
from contexten.server.docs import render
from contexten.settings import ServerSettings
from running_server import engines

DOCUMENT = create_app(ServerSettings(_env_file=None), engines=engines()).openapi()
OPERATIONS = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
LABELS = [f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item]
KEPT = ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
NOT_HERE = 501


@pytest.fixture(scope="module")
def schema():
    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.mark.once
@pytest.mark.parametrize("label", [label for label in LABELS if not label.endswith("/events")])
def test_no_request_makes_the_server_fail(place, schema, label):
    """What `schema.parametrize()` does, but when the test runs: every worker that collects it would make all requests."""

    @settings(
        max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case):
        if isinstance(case.path_parameters.get("org_id"), int):
            case.path_parameters["org_id"] = place.member.org
        headers = {"Authorization": f"Bearer {place.member.token}"}
        answer = case.call(base_url=place.member.base_url, headers=headers, timeout=60)
        assert answer.status_code < 500 or answer.status_code == NOT_HERE, answer.text
        if answer.status_code != 400:
            case.validate_response(answer, checks=CHECKS.get_by_names(KEPT))

    operation = schema.find_operation_by_label(label)
    sources = FeedbackSources()
    build_operation_test(config=schema.config, operation=operation, test_func=ask, given_kwargs={}, feedback=sources)()


def test_every_operation_is_described():
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for operation in OPERATIONS:
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags
        assert {"400", "500", "503"} <= operation["responses"].keys()
    unguarded = [operation["operationId"] for operation in OPERATIONS if "security" not in operation]
    assert unguarded == ["get_health"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_elsewhere(place, path):
    answer = place.nobody.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|src=", answer.text)
    for found in re.findall(r"href=['\"]([^'\"]+)", answer.text):
        assert found.startswith(("#", "/"))
    assert answer.text.count("<details><summary><b class='m'>") >= len(OPERATIONS)


def test_text_of_the_description_cannot_break_the_page():
    odd = "<script>alert(1)</script>"
    document = {
        **DOCUMENT, "info": {"title": odd, "version": odd, "summary": odd, "description": odd},
        "components": {"schemas": {odd: {"description": odd}}},
    }  # fmt: skip
    assert "<script" not in render(document)


def test_the_document_is_served_and_the_bare_address_leads_to_it(place):
    assert place.nobody.http.get("/openapi.json").json()["info"]["title"] == "Contexten"
    home = place.nobody.http.get("/")
    assert (home.status_code, home.headers["location"]) == (307, "/docs")
