"""Signing in at the dashboard: links that work once, and the sessions that they begin.

A session is a token that expires: it acts with the role of the token that made the link, is listed with the tokens, and
ends when it is revoked, or that token is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from contexten.protocol import Role
from contexten.server.store.columns import now
from contexten.server.store.people_rows import alive, insert_token
from contexten.server.store.tables import sign_in_links, tokens
from contexten.server.store.token_secrets import digest

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction

LINK = timedelta(hours=1)
"""How long a link can be used."""
SESSION = timedelta(days=30)
"""How long a session lasts."""
_CODE_BYTES = 16
"""Random bits enough for an hour, in a link that fits on a line of a terminal."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that has signed in."""

    id: int
    organization_id: int
    secret: str = field(repr=False)


class SignIns:
    """All links and sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_link(self, token_id: int) -> tuple[str, datetime]:
        """A code that begins one session for a token's user, and when it is too old."""
        code, expires_at = secrets.token_urlsafe(_CODE_BYTES), now() + LINK
        row = {"digest": digest(code), "made_by": token_id, "expires_at": expires_at}

        def work(transaction: Transaction) -> None:
            _forget_expired(transaction.connection)
            transaction.connection.execute(insert(sign_in_links).values(row))

        await self._database.write(work)
        return code, expires_at

    async def begin(self, code: str) -> Session | None:
        """A new session; None when the code is unknown, was used or is too old, or its maker was revoked."""
        return await self._database.write(lambda transaction: _begin(transaction.connection, code))

    async def session(self, secret: str) -> Session | None:
        """The session with this secret, while it lasts; None for any other token."""
        wanted = select(tokens).where(tokens.c.digest == digest(secret), tokens.c.expires_at.is_not(None), alive(now()))
        row = await self._database.read(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else Session(row.id, row.organization_id, secret)

    async def end(self, session: Session) -> None:
        """End a session; one that has ended stays so."""
        ended = update(tokens).where(tokens.c.id == session.id, tokens.c.revoked_at.is_(None)).values(revoked_at=now())
        await self._database.write(lambda transaction: transaction.connection.execute(ended))


def _begin(connection: Connection, code: str) -> Session | None:
    """The link goes in the same step in which it is looked up: two browsers cannot both have it."""
    used = delete(sign_in_links).where(sign_in_links.c.digest == digest(code), sign_in_links.c.expires_at > now())
    link = connection.execute(used.returning(sign_in_links.c.made_by)).one_or_none()
    if link is None:
        return None
    maker = connection.execute(select(tokens).where(tokens.c.id == link.made_by, alive(now()))).one_or_none()
    if maker is None:
        return None
    made = insert_token(
        connection,
        maker.organization_id,
        maker.user_id,
        "dashboard",
        Role(maker.role),
        expires_at=now() + SESSION,
        made_by=maker.made_by or maker.id,
    )
    return Session(made.id, made.organization_id, made.token)


def _forget_expired(connection: Connection) -> None:
    connection.execute(delete(sign_in_links).where(sign_in_links.c.expires_at <= now()))
    gone = select(tokens.c.id).where(tokens.c.expires_at <= now())
    connection.execute(delete(sign_in_links).where(sign_in_links.c.made_by.in_(gone)))
    connection.execute(delete(tokens).where(tokens.c.expires_at <= now()))
