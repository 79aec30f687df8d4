"""The tokens that are there from the start: that of clients on this machine, and the admin's that the settings name."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from contexten.client.local import LocalCredentials
from contexten.errors import SettingsError
from contexten.protocol import Role, Window
from contexten.server.home import FIRST_ORGANIZATION

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.server.store import Store
    from contexten.settings import ServerSettings

_ADMIN_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{32,200}")
"""Long enough not to be guessed, as only a fast hash of it is kept, and what a bearer token may be made of (RFC 6750, 2.1)."""

_LOG = logging.getLogger("contexten.server")


async def leave_credentials(settings: ServerSettings, store: Store, base_url: str | None) -> None:
    """Let the admin of the settings in, and leave a token of the first organization where clients on this machine find it.

    A lost or foreign file gets a new token when the database is a file of the same folder: whoever can write one can
    write the other. Without a `base_url` the address in it stays as it is.

    Raises:
        SettingsError: the admin token of the settings is too short, or cannot be sent.
    """
    kept = read_credentials(settings.data_dir)
    found = await _token(store, kept, _admin_token(settings))
    if found is not None:
        address = base_url or (kept.base_url if kept else None)
        credentials = LocalCredentials(address, *found)
        if credentials != kept:
            credentials.write(settings.data_dir)


def read_credentials(data_dir: Path) -> LocalCredentials | None:
    """The token that clients on this machine use; None when the file is missing or broken."""
    try:
        return LocalCredentials.read(data_dir)
    except SettingsError as error:
        _LOG.warning("%s It is written anew.", error)
        return None


async def _token(store: Store, kept: LocalCredentials | None, admin: str | None) -> tuple[str, int] | None:
    """A token for this machine's clients and its organization: the first, the one that is kept, the settings', or a new one."""
    first = await store.people.first_start(admin)
    if first is not None:
        return first[2], first[0].id
    admitted = admin is not None and await store.people.admit(FIRST_ORGANIZATION, admin)
    if admin is not None and not admitted:
        _LOG.warning("The token in CONTEXTEN_ADMIN_TOKEN was revoked and opens nothing. Put a new one there.")
    identity = await store.people.identify(kept.token) if kept else None
    if kept and identity:
        return kept.token, identity.organization_id
    if admin is not None and admitted:
        return admin, FIRST_ORGANIZATION
    if not store.is_sqlite:
        return None
    users, _ = await store.people.users(FIRST_ORGANIZATION, Window(limit=1))
    created = await store.people.create_token(FIRST_ORGANIZATION, users[0].id, "local", Role.ADMIN)
    return created.token, FIRST_ORGANIZATION


def _admin_token(settings: ServerSettings) -> str | None:
    secret = settings.admin_token.get_secret_value() if settings.admin_token else None
    if secret is not None and not _ADMIN_TOKEN.fullmatch(secret):
        raise SettingsError(
            "CONTEXTEN_ADMIN_TOKEN cannot be used: it needs 32 to 200 random letters, digits or -._~+/=. "
            'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return secret
