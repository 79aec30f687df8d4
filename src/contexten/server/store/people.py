"""People: organizations, their users, and the tokens that act for them."""

from __future__ import annotations

import getpass
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from contexten.protocol import CreatedToken, Organization, Role, Token, User
from contexten.server.store.columns import Moment, now
from contexten.server.store.errors import LastAdminError, NotThereError
from contexten.server.store.people_rows import (
    MEMBER,
    alive,
    insert_membership,
    insert_organization,
    insert_token,
    insert_user,
    organization_from,
    token_from,
    user_from,
)
from contexten.server.store.records import Identity
from contexten.server.store.tables import memberships, organizations, tokens, users
from contexten.server.store.token_secrets import digest

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from contexten.protocol import Window
    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction

_TOUCH_EVERY = timedelta(minutes=1)
_log = logging.getLogger(__name__)

_IDENTIFY = (
    select(tokens.c.id, tokens.c.user_id, tokens.c.organization_id, tokens.c.role, users.c.login, tokens.c.last_used_at)
    .join(users, users.c.id == tokens.c.user_id)
    .where(tokens.c.digest == bindparam("digest"), alive(bindparam("moment", type_=Moment)))
)
_TOUCH = update(tokens).where(tokens.c.id == bindparam("token"))


class People:
    """All organizations, users and tokens of the server."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._touched: dict[int, datetime] = {}

    async def first_start(self, secret: str | None = None) -> tuple[Organization, User, str] | None:
        """Make the local organization, its user and the secret of an admin token; None when there is one already.

        Args:
            secret: that of the token; a random one when absent.
        """

        def work(transaction: Transaction) -> tuple[Organization, User, str] | None:
            connection = transaction.connection
            if connection.scalar(select(func.count()).select_from(organizations)):
                return None
            organization = insert_organization(connection, "local")
            user_id = insert_user(connection, _login())
            insert_membership(connection, organization.id, user_id, Role.ADMIN)
            token = insert_token(connection, organization.id, user_id, "first start", Role.ADMIN, secret=secret)
            return organization, _user(connection, organization.id, user_id), token.token

        return await self._database.write(work)

    async def admit(self, organization_id: int, secret: str) -> bool:
        """Make a token with this secret for the organization's first admin, unless there is one; False when it was revoked."""

        def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            known = select(tokens.c.revoked_at).where(tokens.c.digest == digest(secret))
            if row := connection.execute(known).one_or_none():
                return row.revoked_at is None
            admins = (memberships.c.organization_id == organization_id) & (memberships.c.role == Role.ADMIN)
            first = connection.execute(MEMBER.where(admins).order_by(users.c.id).limit(1)).one()
            insert_token(connection, organization_id, first.id, "from the settings", Role.ADMIN, secret=secret)
            return True

        return await self._database.write(work)

    async def identify(self, secret: str) -> Identity | None:
        """Who the token with this secret acts for; None when there is no such token or it is revoked."""
        values = {"digest": digest(secret), "moment": now()}
        row = await self._database.read(lambda connection: connection.execute(_IDENTIFY, values).one_or_none())
        if row is None:
            return None
        self._touch(row.id, row.last_used_at)
        return Identity(row.id, row.user_id, row.organization_id, Role(row.role), row.login)

    async def organization(self, organization_id: int) -> Organization:
        """The organization.

        Raises:
            NotThereError: there is no such organization.
        """
        return await self._database.read(lambda connection: _organization(connection, organization_id))

    async def organizations(self, identity: Identity, window: Window) -> tuple[list[Organization], int]:
        """The organizations that a token may see, which is its own, and how many they are."""
        own = await self.organization(identity.organization_id)
        return [own][window.skip : window.skip + window.limit], 1

    async def create_organization(self, name: str, user_id: int) -> tuple[Organization, str]:
        """A new organization whose admin is the user, and the secret of its first token."""

        def work(transaction: Transaction) -> tuple[Organization, str]:
            organization = insert_organization(transaction.connection, name)
            insert_membership(transaction.connection, organization.id, user_id, Role.ADMIN)
            token = insert_token(transaction.connection, organization.id, user_id, "first token", Role.ADMIN)
            return organization, token.token

        return await self._database.write(work)

    async def users(self, organization_id: int, window: Window) -> tuple[list[User], int]:
        """Users of an organization, oldest first, and how many there are in all."""
        members = MEMBER.where(memberships.c.organization_id == organization_id)

        def work(connection: Connection) -> tuple[list[User], int]:
            total = connection.scalar(select(func.count()).select_from(members.subquery())) or 0
            if window.skip >= total:
                return [], total
            page = members.order_by(users.c.id).limit(window.limit).offset(window.skip)
            return [user_from(row) for row in connection.execute(page)], total

        return await self._database.read(work)

    async def user(self, organization_id: int, user_id: int) -> User:
        """A user of an organization.

        Raises:
            NotThereError: the organization has no such user.
        """
        return await self._database.read(lambda connection: _user(connection, organization_id, user_id))

    async def add_user(
        self,
        organization_id: int,
        login: str,
        *,
        role: Role = Role.MEMBER,
        email: str | None = None,
        full_name: str | None = None,
    ) -> User:
        """A new user in an organization.

        Raises:
            NotThereError: there is no such organization.
        """

        def work(transaction: Transaction) -> User:
            _organization(transaction.connection, organization_id)
            user_id = insert_user(transaction.connection, login, email, full_name)
            insert_membership(transaction.connection, organization_id, user_id, role)
            return _user(transaction.connection, organization_id, user_id)

        return await self._database.write(work)

    async def tokens(self, organization_id: int) -> list[Token]:
        """All tokens of an organization, oldest first, revoked ones included."""
        wanted = select(tokens).where(tokens.c.organization_id == organization_id).order_by(tokens.c.id)
        return await self._database.read(lambda connection: [token_from(row) for row in connection.execute(wanted)])

    async def create_token(self, organization_id: int, user_id: int, name: str, role: Role) -> CreatedToken:
        """A new token of a user, with its secret.

        Raises:
            NotThereError: the organization has no such user.
        """

        def work(transaction: Transaction) -> CreatedToken:
            _user(transaction.connection, organization_id, user_id)
            return insert_token(transaction.connection, organization_id, user_id, name, role)

        return await self._database.write(work)

    async def revoke_token(self, organization_id: int, token_id: int) -> Token:
        """Revoke a token for good, and the sessions that it made; one that is revoked stays as it is.

        Raises:
            NotThereError: the organization has no such token.
            LastAdminError: it is the organization's last admin token.
        """
        return await self._database.write(lambda transaction: _revoke(transaction, organization_id, token_id))

    def _touch(self, token_id: int, last_used: datetime | None) -> None:
        moment = now()
        noted = max(filter(None, [last_used, self._touched.get(token_id)]), default=None)
        if noted is not None and moment - noted < _TOUCH_EVERY:
            return
        self._touched[token_id] = moment
        used = _TOUCH.values(last_used_at=moment)
        write = self._database.write_later(lambda tx: tx.connection.execute(used, {"token": token_id}))
        write.add_done_callback(_note_failure)


def _note_failure(write: Future[Any]) -> None:
    error = write.exception()
    if error is not None:
        _log.warning("The time at which a token was used could not be noted: %s", error)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in many containers
        return "local"


def _organization(connection: Connection, organization_id: int) -> Organization:
    row = connection.execute(select(organizations).where(organizations.c.id == organization_id)).one_or_none()
    if row is None:
        raise NotThereError(f"There is no organization {organization_id}.")
    return organization_from(row)


def _user(connection: Connection, organization_id: int, user_id: int) -> User:
    wanted = MEMBER.where(memberships.c.organization_id == organization_id, users.c.id == user_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotThereError(f"There is no user {user_id} in organization {organization_id}.")
    return user_from(row)


def _revoke(transaction: Transaction, organization_id: int, token_id: int) -> Token:
    connection = transaction.connection
    mine = tokens.c.organization_id == organization_id
    row = connection.execute(select(tokens).where(mine, tokens.c.id == token_id)).one_or_none()
    if row is None:
        raise NotThereError(f"There is no token {token_id} in organization {organization_id}.")
    if row.revoked_at is not None:
        return token_from(row)
    lasting = mine & tokens.c.expires_at.is_(None)
    admins = select(func.count()).where(lasting, tokens.c.role == Role.ADMIN, tokens.c.revoked_at.is_(None))
    if row.role == Role.ADMIN and row.expires_at is None and connection.scalar(admins) == 1:
        raise LastAdminError(
            f"Token {token_id} is the last admin token of organization {organization_id}. Create another one first."
        )
    sessions = update(tokens).where(tokens.c.made_by == token_id, tokens.c.revoked_at.is_(None))
    connection.execute(sessions.values(revoked_at=now()))
    revoked = update(tokens).where(tokens.c.id == token_id).values(revoked_at=now()).returning(*tokens.c)
    return token_from(connection.execute(revoked).one())
