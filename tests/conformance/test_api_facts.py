"""Our description has every path, parameter and field of the Codegen API's description of 2025-10-07."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contexten.engines import Engines
from contexten.server.app import create_app
from contexten.settings import ServerSettings

FACTS = json.loads(Path(__file__).with_name("api_facts.json").read_text("utf-8"))
OURS = {
    "AgentRunResponse": "AgentRunDetail",
    "AgentRunWithLogsResponse": "AgentRunWithLogs",
    "AgentRunLogResponse": "LogEntry",
    "AnalyzeLogsResponse": "AnalyzeLogs",
    "CLIRulesResponse": "CliRules",
    "CheckSuiteSettingsResponse": "CheckSuiteSettings",
    "EditPRInput": "EditPullRequestInput",
    "EditPRResponse": "EditPullRequestResponse",
    "GithubPullRequestResponse": "PullRequest",
    "OAuthProviderResponse": "OAuthProvider",
    "OrganizationIntegrationsResponse": "OrganizationIntegrations",
    "OrganizationResponse": "Organization",
    "Page_AgentRunResponse_": "Page_AgentRunDetail_",
    "Page_OrganizationResponse_": "Page_Organization_",
    "Page_RepoResponse_": "Page_LocalRepository_",
    "Page_UserResponse_": "Page_User_",
    "RepoResponse": "LocalRepository",
    "SetupCommandsResponse": "SetupCommands",
    "UserResponse": "User",
}
ERRORS = {name for name in FACTS["schemas"] if name.endswith("ErrorResponse")}


@pytest.fixture(scope="module")
def document():
    return create_app(ServerSettings(_env_file=None), engines=Engines([])).openapi()


def name_of(kind):
    for theirs, ours in OURS.items():
        if kind in {theirs, f"[{theirs}]"}:
            return kind.replace(theirs, ours)
    return kind


def kinds(schema):
    """A schema in the form that the facts have."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return "|".join(sorted({kinds(part) for part in schema["anyOf"]}))
    if schema.get("type") == "array":
        return f"[{kinds(schema.get('items', {}))}]"
    return schema.get("type", "any")


def without_null(kind):
    return "|".join(part for part in kind.split("|") if part != "null")


def same_kind(theirs, ours):
    """The same, apart from being nullable: strings that we list by value count as strings."""
    known = {"ApiAgentRunSourceType": "string", "SourceType": "string"}
    plain = [without_null(kind) for kind in (theirs, ours)]
    return name_of(known.get(plain[0], plain[0])) == known.get(plain[1], plain[1])


@pytest.mark.parametrize("fact", FACTS["operations"], ids=lambda fact: f"{fact['method']} {fact['path']}")
def test_each_documented_operation_is_served(document, fact):
    operation = document["paths"][fact["path"]][fact["method"].lower()]
    parameters = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
    for name, expected in fact["parameters"].items():
        ours = parameters.pop(name)
        assert ours["in"] == expected["in"]
        assert ours.get("required", False) == expected["required"]
        assert same_kind(expected["type"], kinds(ours["schema"])), name
    more = {name for name, ours in parameters.items() if ours.get("required") and ours["in"] != "path"}
    assert not more, "required by us alone"
    body = operation.get("requestBody")
    assert bool(body) == bool(fact["body"])
    if body:
        assert kinds(body["content"]["application/json"]["schema"]) == name_of(fact["body"])
    assert {str(status) for status in fact["errors"]} - {"402"} <= operation["responses"].keys()


@pytest.mark.parametrize("fact", FACTS["operations"], ids=lambda fact: f"{fact['method']} {fact['path']}")
def test_each_answer_has_the_documented_shape(document, fact):
    operation = document["paths"][fact["path"]][fact["method"].lower()]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    if fact["answer"] != "any":
        assert kinds(schema) == name_of(fact["answer"])


@pytest.mark.parametrize("name", sorted(FACTS["schemas"].keys() - ERRORS - {"ApiAgentRunSourceType"}))
def test_each_model_has_the_documented_fields(document, name):
    expected = FACTS["schemas"][name]
    ours = document["components"]["schemas"][name_of(name)]
    for field, kind in expected["fields"].items():
        if field == "items":
            continue
        assert same_kind(kind, kinds(ours["properties"][field])), field
    if not name.endswith(("Input", "Request")):
        assert set(expected["required"]) <= set(ours.get("required", []))
    else:
        assert set(ours.get("required", [])) <= set(expected["required"])


def test_the_sources_of_runs_are_the_documented_ones(document):
    expected = FACTS["schemas"]["ApiAgentRunSourceType"]["enum"]
    assert document["components"]["schemas"]["SourceType"]["enum"] == expected


def test_every_error_has_what_the_documented_errors_have(document):
    problem = document["components"]["schemas"]["Problem"]
    assert {"message", "status_code", "detail", "request_id"} <= set(problem["required"])
    for path in document["paths"].values():
        for operation in path.values():
            errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            shapes = {kinds(answer["content"]["application/json"]["schema"]) for answer in errors.values()}
            assert shapes == {"Problem"}
