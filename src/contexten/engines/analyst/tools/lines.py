"""Find lines that are known by how they are written: to-do marks, routes, options, environment variables, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.tools.text import find_text

if TYPE_CHECKING:
    from contexten.engines.analyst.repository import Repository
    from contexten.engines.analyst.step import Finding

LINES = {
    "todo": (r"\b(?:TODO|FIXME|XXX|HACK)\b", "TODO, FIXME, XXX or HACK mark"),
    "environment": (
        r"\bos\.environ\b|\bgetenv\(|\bprocess\.env\b|\bSystem\.getenv\b|\benv::var\b|\bos\.(?:LookupEnv|Getenv)\b",
        "reading of environment variables",
    ),
    "versions": (
        (
            r"^\s*(?:requires-python|python_requires|rust-version|edition)\s*="
            r"""|^\s*["'](?:node"|Programming Language :: \w+ :: \d+\.\d)|^go \d"""
        ),
        "declaration of a language version",
    ),
    "options": (
        r"""[("'\s]["'](?:-\w["'],\s*["'])?--[a-z][\w-]*(?:/--[\w-]+)?["']\s*[,)]|^\s*["']--[a-z][\w-]*["']\s*,?$""",
        "declaration of a command line option",
    ),
    "routes": (
        (
            r"^\s*@[\w.]+\.(?:get|post|put|patch|delete|head|options|route|websocket|api_route)\("
            r"|\b(?:add_url_rule|add_route|add_api_route)\(|^\s*(?:path|re_path|Route|WebSocketRoute)\("
        ),
        "declaration of a route",
    ),
}
"""How the lines of a kind are known, and what they are."""


def lines(repository: Repository, kind: str, scope: str | None = None) -> Finding:
    """The lines of one kind, in the whole repository or under `scope`."""
    pattern, what = LINES[kind]
    return find_text(repository, pattern, scope, regex=True, what=what)
