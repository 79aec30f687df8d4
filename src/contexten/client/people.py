"""Organizations, users and tokens, in both twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contexten.client.base import AsyncCalls, Calls
from contexten.client.calls import people
from contexten.protocol import Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from contexten.protocol import CreatedOrganization, CreatedToken, Organization, Page, SignInLink, Token, User

Org = int | str | None


def _organizations(skip: int, limit: int) -> Any:
    return people.organizations(skip=skip, limit=limit)


def _users(skip: int, limit: int) -> Any:
    return people.users(skip=skip, limit=limit)


class PeopleCalls(Calls):
    """Requests about organizations, users and tokens."""

    def me(self) -> User:
        """The user that the token acts for."""
        return self._send(people.me())

    def list_organizations(self, *, skip: int = 0, limit: int = 100) -> Page[Organization]:
        """A page of the organizations that the token can reach."""
        return self._send(people.organizations(skip=skip, limit=limit))

    def iter_organizations(self) -> Iterator[Organization]:
        """All organizations that the token can reach."""
        return self._pages(_organizations)

    def create_organization(self, name: str) -> CreatedOrganization:
        """A new organization with its first admin token."""
        return self._send(people.create_organization(name))

    def list_users(self, *, skip: int = 0, limit: int = 100, org_id: Org = None) -> Page[User]:
        """A page of the users of the organization."""
        return self._send(people.users(skip=skip, limit=limit), org_id)

    def iter_users(self, *, org_id: Org = None) -> Iterator[User]:
        """All users of the organization."""
        return self._pages(_users, org_id)

    def get_user(self, user_id: int | str, *, org_id: Org = None) -> User:
        """One user."""
        return self._send(people.user(user_id), org_id)

    def list_tokens(self, *, org_id: Org = None) -> list[Token]:
        """The tokens of the organization, without their secrets."""
        return self._send(people.tokens(), org_id)

    def create_token(self, name: str, role: Role | str = Role.MEMBER, *, org_id: Org = None) -> CreatedToken:
        """A new token; its secret is shown this once."""
        return self._send(people.create_token(name, role), org_id)

    def create_sign_in_link(self, *, org_id: Org = None) -> SignInLink:
        """A link to the dashboard that signs one browser in, once, with this client's role."""
        return self._send(people.create_sign_in_link(), org_id)

    def revoke_token(self, token_id: int, *, org_id: Org = None) -> None:
        """End a token's life."""
        self._send(people.revoke_token(token_id), org_id)


class AsyncPeopleCalls(AsyncCalls):
    """The twin of `PeopleCalls`."""

    async def me(self) -> User:
        """The user that the token acts for."""
        return await self._send(people.me())

    async def list_organizations(self, *, skip: int = 0, limit: int = 100) -> Page[Organization]:
        """A page of the organizations that the token can reach."""
        return await self._send(people.organizations(skip=skip, limit=limit))

    def iter_organizations(self) -> AsyncIterator[Organization]:
        """All organizations that the token can reach."""
        return self._pages(_organizations)

    async def create_organization(self, name: str) -> CreatedOrganization:
        """A new organization with its first admin token."""
        return await self._send(people.create_organization(name))

    async def list_users(self, *, skip: int = 0, limit: int = 100, org_id: Org = None) -> Page[User]:
        """A page of the users of the organization."""
        return await self._send(people.users(skip=skip, limit=limit), org_id)

    def iter_users(self, *, org_id: Org = None) -> AsyncIterator[User]:
        """All users of the organization."""
        return self._pages(_users, org_id)

    async def get_user(self, user_id: int | str, *, org_id: Org = None) -> User:
        """One user."""
        return await self._send(people.user(user_id), org_id)

    async def list_tokens(self, *, org_id: Org = None) -> list[Token]:
        """The tokens of the organization, without their secrets."""
        return await self._send(people.tokens(), org_id)

    async def create_token(self, name: str, role: Role | str = Role.MEMBER, *, org_id: Org = None) -> CreatedToken:
        """A new token; its secret is shown this once."""
        return await self._send(people.create_token(name, role), org_id)

    async def create_sign_in_link(self, *, org_id: Org = None) -> SignInLink:
        """A link to the dashboard that signs one browser in, once, with this client's role."""
        return await self._send(people.create_sign_in_link(), org_id)

    async def revoke_token(self, token_id: int, *, org_id: Org = None) -> None:
        """End a token's life."""
        await self._send(people.revoke_token(token_id), org_id)
