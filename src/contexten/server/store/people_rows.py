"""Rows of organizations, users, memberships and tokens: how they are written, and how they are read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, ColumnElement, Select, insert, or_, select

from contexten.protocol import CreatedToken, Organization, OrganizationSettings, Role, Token, User
from contexten.server.store.columns import iso, now
from contexten.server.store.tables import memberships, organizations, tokens, users
from contexten.server.store.text_gate import clean_text, to_json
from contexten.server.store.token_secrets import digest, new_secret, prefix

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

MEMBER: Select[*tuple[Any, ...]] = select(
    users.c.id, users.c.login, users.c.email, users.c.full_name, memberships.c.organization_id, memberships.c.role
).join(memberships, memberships.c.user_id == users.c.id)


def insert_organization(connection: Connection, name: str) -> Organization:
    """A new organization with the default settings."""
    settings = OrganizationSettings()
    values = {"name": name, "settings": to_json(settings.model_dump()), "created_at": now()}
    row = connection.execute(insert(organizations).values(values).returning(organizations.c.id)).one()
    return Organization(id=row.id, name=clean_text(name), settings=settings)


def insert_user(connection: Connection, login: str, email: str | None = None, full_name: str | None = None) -> int:
    """The id of a new user, who belongs to no organization yet."""
    values = {"login": login, "email": email, "full_name": full_name, "created_at": now()}
    return connection.execute(insert(users).values(values).returning(users.c.id)).one().id  # type: ignore[no-any-return]


def insert_membership(connection: Connection, organization_id: int, user_id: int, role: Role) -> None:
    """Make a user a member of an organization."""
    values = {"organization_id": organization_id, "user_id": user_id, "role": str(role)}
    connection.execute(insert(memberships).values(values))


def insert_token(  # noqa: PLR0913 - the columns of a row
    connection: Connection,
    organization_id: int,
    user_id: int,
    name: str,
    role: Role,
    *,
    secret: str | None = None,
    expires_at: datetime | None = None,
    made_by: int | None = None,
) -> CreatedToken:
    """A new token with its secret, which nobody can read again; a random one when none is given.

    One that expires is a session of the dashboard, and ends with the token that it was made by.
    """
    secret = secret or new_secret()
    values = {
        "organization_id": organization_id,
        "user_id": user_id,
        "name": name,
        "role": str(role),
        "digest": digest(secret),
        "prefix": prefix(secret),
        "created_at": now(),
        "expires_at": expires_at,
        "made_by": made_by,
    }
    row = connection.execute(insert(tokens).values(values).returning(*tokens.c)).one()
    return CreatedToken(token=secret, **token_from(row).model_dump())


def alive(moment: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """That a token may be used at a moment: it was not revoked and has not expired."""
    return tokens.c.revoked_at.is_(None) & or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > moment)


def organization_from(row: Row[*tuple[Any, ...]]) -> Organization:
    """The organization of a row."""
    return Organization(id=row.id, name=row.name, settings=OrganizationSettings.model_validate(row.settings))


def user_from(row: Row[*tuple[Any, ...]]) -> User:
    """The user of a row of `MEMBER`. Nobody here has a GitHub account that we know of, so its id is our own."""
    return User(
        id=row.id,
        github_user_id=f"local-{row.id}",
        github_username=row.login,
        email=row.email,
        full_name=row.full_name,
        role=row.role,
        is_admin=row.role == Role.ADMIN,
    )


def token_from(row: Row[*tuple[Any, ...]]) -> Token:
    """The token of a row, without its secret, which is not there."""
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        organization_id=row.organization_id,
        user_id=row.user_id,
        prefix=row.prefix,
        created_at=iso(row.created_at),
        last_used_at=None if row.last_used_at is None else iso(row.last_used_at),
        revoked_at=None if row.revoked_at is None else iso(row.revoked_at),
        expires_at=None if row.expires_at is None else iso(row.expires_at),
    )
