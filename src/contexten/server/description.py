"""How the API describes itself: the words around the routes in the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from contexten.protocol import Problem

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute

SUMMARY = "Coding agents on your own machine, behind the Codegen API."
TEXT = """\
Give a prompt to an engine, watch what it does, keep the result. Programs written for the Codegen API work unchanged.

**Sign-in.** `Authorization: Bearer TOKEN`. The first start writes a token to `credentials.json` in the data folder.
A token belongs to one organization; everything of another one answers 404.

**Errors.** Each has the body `Problem`: `message` says what happened and what to do, `request_id` is what the server's
log has. Send `X-Request-ID` to choose it.

**Live.** The event streams are server-sent events. Reconnect with `Last-Event-ID`: nothing is lost or repeated.
"""
TAGS = [
    {"name": "agents", "description": "Runs: a prompt goes in, log entries come out, a result ends it."},
    {"name": "management", "description": "The same under short addresses, for the organization of the token. Ours."},
    {"name": "live", "description": "The same while it happens, as server-sent events."},
    {"name": "repositories", "description": "The code that runs work on."},
    {"name": "organizations", "description": "What runs, repositories and tokens belong to."},
    {"name": "users", "description": "Who the tokens act for."},
    {"name": "tokens", "description": "Making and revoking tokens, for admins."},
    {"name": "integrations", "description": "What the server is connected to."},
    {"name": "setup-commands", "description": "Runs that find out how a repository is set up."},
    {"name": "claude-code", "description": "Claude Code sessions that the official command line reports."},
    {"name": "cli-rules", "description": "Rules for command-line agents."},
    {"name": "pull-requests", "description": "Only the hosted service can do this; here it answers 501."},
    {"name": "sandbox", "description": "Only the hosted service can do this; here it answers 501."},
    {"name": "slack-connect", "description": "Only the hosted service can do this; here it answers 501."},
    {"name": "workflows", "description": "Graphs of runs that go on by themselves. Ours."},
    {"name": "ours", "description": "Additions to the Codegen API."},
]


def operation_id(route: APIRoute) -> str:
    """A short, stable name for generated clients; the second address of an operation is told apart by its path."""
    beta = next((part for part in ("alpha", "beta", "repositories") if part in route.path.split("/")), None)
    return f"{route.name}_{beta}" if beta else route.name


def install(app: FastAPI) -> None:
    """Make the application answer its own description at `/openapi.json`."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign] # FastAPI's documented way to shape the description


def _schema(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        separate_input_output_schemas=False,
    )
    schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for name, path in schema["paths"].items():
        for operation in path.values():
            _tell_apart(operation["responses"])
            if name != "/health":
                operation["security"] = [{"token": []}]
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
    return schema


def _tell_apart(answers: dict[str, Any]) -> None:
    """Put right what FastAPI says of answers by itself: streams carry events, and errors are JSON, not text."""
    for status, answer in answers.items():
        if status >= "400":
            answer["content"] = {"application/json": next(iter(answer["content"].values()))}
        elif answer["description"] == "Successful Response":
            answer["description"] = "Done."
        elif "text/event-stream" in answer.get("content", {}):
            del answer["content"]["text/event-stream"]["schema"]["type"]
