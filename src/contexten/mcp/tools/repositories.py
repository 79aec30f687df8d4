"""Tools about what runs work on and who does them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from contexten.mcp.answers import as_json, fitting
from contexten.mcp.tool import Arguments, OrganizationArguments

if TYPE_CHECKING:
    from contexten.mcp.tool import Call


class List(OrganizationArguments):
    """List the repositories that runs work on and code questions are about."""

    limit: int = Field(50, ge=1, le=100, description="How many.")
    skip: int = Field(0, ge=0, description="How many to leave out from the beginning.")


class Engines(Arguments):
    """List the engines that do runs: which are ready, what the others need, and which one is the default."""


async def list_repositories(call: Call, wanted: List) -> str:
    """A page of the repositories."""
    page = await call.access.client.list_repositories(skip=wanted.skip, limit=wanted.limit, org_id=wanted.org_id)
    repos = [
        {"id": repo.id, "name": repo.name, "language": repo.language, "path": repo.get("path")} for repo in page.items
    ]
    return as_json({"repositories": fitting(repos), "total": page.total})


async def list_engines(call: Call, _wanted: Engines) -> str:
    """The engines."""
    return as_json({"engines": [engine.model_dump() for engine in await call.access.client.list_engines()]})
