"""Tools about organizations and the people in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from contexten.mcp.answers import as_json
from contexten.mcp.tool import Arguments, OrganizationArguments

if TYPE_CHECKING:
    from contexten.mcp.tool import Call
    from contexten.protocol import User as Person

_PAGE = Field(1, ge=1, description="Page number, from 1.")
_SIZE = Field(10, ge=1, le=100, description="How many on a page.")


class Organizations(Arguments):
    """Get the list of organizations that you have access to."""

    page: int = _PAGE
    limit: int = _SIZE


class Users(OrganizationArguments):
    """Get the list of users in an organization."""

    page: int = _PAGE
    limit: int = _SIZE


class User(OrganizationArguments):
    """Get details of a specific user in an organization."""

    user_id: int = Field(ge=1, description="Number of the user.")


async def get_organizations(call: Call, wanted: Organizations) -> str:
    """A page of the organizations."""
    skip = (wanted.page - 1) * wanted.limit
    found = await call.access.client.list_organizations(skip=skip, limit=wanted.limit)
    organizations = [{"id": each.id, "name": each.name} for each in found.items]
    return as_json({"organizations": organizations, "total": found.total, "page": wanted.page, "limit": wanted.limit})


async def get_users(call: Call, wanted: Users) -> str:
    """A page of the users."""
    skip = (wanted.page - 1) * wanted.limit
    found = await call.access.client.list_users(skip=skip, limit=wanted.limit, org_id=wanted.org_id)
    users = [_person(each) for each in found.items]
    return as_json({"users": users, "total": found.total, "page": wanted.page, "limit": wanted.limit})


async def get_user(call: Call, wanted: User) -> str:
    """One user."""
    return as_json(_person(await call.access.client.get_user(wanted.user_id, org_id=wanted.org_id)))


def _person(user: Person) -> dict[str, Any]:
    return {"id": user.id, "email": user.email, "name": user.full_name, "github_username": user.github_username}
