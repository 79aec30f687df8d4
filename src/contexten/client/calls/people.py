"""Requests about organizations, users and tokens."""

from __future__ import annotations

from typing import Any

from contexten.client.calls.call import Call, Repeat, get, given, post, segment
from contexten.protocol import (
    CreatedOrganization,
    CreatedToken,
    NewOrganization,
    NewToken,
    Organization,
    Page,
    Role,
    SignInLink,
    Token,
    User,
)


def me() -> Call[User]:
    """The user that the token acts for."""
    return get("/v1/users/me", User)


def organizations(*, skip: int = 0, limit: int = 100) -> Call[Page[Organization]]:
    """The organizations that the token can reach."""
    return get("/v1/organizations", Page[Organization], skip=skip, limit=limit)


def create_organization(name: str) -> Call[CreatedOrganization]:
    """A new organization."""
    return post("/v1/organizations", CreatedOrganization, given(NewOrganization, name=name))


def users(*, skip: int = 0, limit: int = 100) -> Call[Page[User]]:
    """The users of an organization."""
    return get("/v1/organizations/{org}/users", Page[User], skip=skip, limit=limit)


def user(user_id: int | str) -> Call[User]:
    """One user."""
    return get(f"/v1/organizations/{{org}}/users/{segment(user_id)}", User)


def tokens() -> Call[list[Token]]:
    """The tokens of an organization, without their secrets."""
    return get("/v1/organizations/{org}/tokens", list[Token])


def create_token(name: str, role: Role | str = Role.MEMBER) -> Call[CreatedToken]:
    """A new token."""
    return post("/v1/organizations/{org}/tokens", CreatedToken, given(NewToken, name=name, role=role))


def create_sign_in_link() -> Call[SignInLink]:
    """A link that signs one browser in at the dashboard."""
    return post("/v1/organizations/{org}/sign-in-links", SignInLink)


def revoke_token(token_id: int) -> Call[Any]:
    """End a token's life."""
    read = get("", Any).read
    return Call("DELETE", f"/v1/organizations/{{org}}/tokens/{segment(token_id)}", read, repeat=Repeat.ALWAYS)
