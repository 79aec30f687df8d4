"""People: organizations, users and the tokens that act for them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from contexten.protocol.model import Input, Model


class Role(StrEnum):
    """What a token may do: an admin everything in its organization, a member work, a reader only look."""

    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    READ_ONLY = "READ_ONLY"


class OrganizationSettings(Model):
    """Switches of an organization."""

    enable_pr_creation: bool = True
    enable_rules_detection: bool = True


class Organization(Model):
    """An organization (`OrganizationResponse`): what runs, repositories and tokens belong to."""

    id: int
    name: str
    settings: OrganizationSettings


class NewOrganization(Input):
    """An organization to create. Ours; the API description has no such call."""

    name: str = Field(min_length=1, max_length=200)


class User(Model):
    """A user (`UserResponse`)."""

    id: int
    github_user_id: str
    github_username: str
    email: str | None = None
    avatar_url: str | None = None
    full_name: str | None = None
    role: str | None = None
    is_admin: bool | None = None


class Token(Model):
    """A token as it is listed: never its secret. Ours; the API description has no such call."""

    id: int
    name: str
    role: Role
    organization_id: int
    user_id: int
    prefix: str
    """First characters of the secret, enough to recognise it."""
    created_at: str
    last_used_at: str | None = None
    revoked_at: str | None = None
    expires_at: str | None = None
    """When a session of the dashboard ends; other tokens last until they are revoked."""


class SignInLink(Model):
    """A link that signs one browser in at the dashboard, once."""

    url: str
    expires_at: str


class NewToken(Input):
    """A token to create."""

    name: str = Field(min_length=1, max_length=200)
    role: Role = Role.MEMBER


class CreatedToken(Token):
    """A token just created, with its secret: the only time that the secret is shown."""

    token: str


class CreatedOrganization(Organization):
    """An organization just created, with its first admin token."""

    token: str
