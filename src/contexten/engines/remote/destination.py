"""The server that runs are handed to: its address, what is missing to use it, and whether it is this one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contexten.client.address import normalize_base_url
from contexten.client.holder import Holder
from contexten.errors import EngineUnavailableError, UsageError
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from contexten.settings import ServerSettings

SELF = secrets.token_hex(8)
"""Names this process among those that a run was handed on by."""
MOST_HANDS = 4
"""Servers that may hand on one run, one after another."""
MARK = "contexten"
"""Where a run's metadata say who handed it on."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where runs go, and as whom."""

    base_url: str
    token: SecretStr
    org_id: int | None = None
    repo_id: int | None = None

    @property
    def host(self) -> str:
        """Its host and port, for people."""
        return urlsplit(self.base_url).netloc


def destination_of(settings: ServerSettings) -> Destination:
    """Where the settings say that runs go.

    Raises:
        EngineUnavailableError: something is missing, the address cannot be one, or it is that of this server.
    """
    if settings.remote_base_url is None or settings.remote_token is None:
        missing = "CONTEXTEN_REMOTE_BASE_URL" if settings.remote_base_url is None else "CONTEXTEN_REMOTE_TOKEN"
        raise EngineUnavailableError(f"needs {missing}")
    try:
        base_url = normalize_base_url(settings.remote_base_url)
    except UsageError:
        raise EngineUnavailableError(
            "needs another CONTEXTEN_REMOTE_BASE_URL: https://host or http://host:port"
        ) from None
    if _place(base_url) in {_place(own) for own in _own_addresses(settings)}:
        raise EngineUnavailableError(f"needs another CONTEXTEN_REMOTE_BASE_URL: {base_url} is this server itself")
    return Destination(base_url, settings.remote_token, settings.remote_org_id, settings.remote_repo_id)


def handed_on(metadata: Mapping[str, Any]) -> list[str]:
    """The servers that a run was handed on by, this one included.

    Raises:
        EngineUnavailableError: it has been here before, or passed through too many hands.
    """
    mark = metadata.get(MARK)
    before = mark.get("via") if isinstance(mark, dict) else None
    via = [each for each in before if isinstance(each, str)] if isinstance(before, list) else []
    if SELF in via:
        raise EngineUnavailableError("This run was handed on by this server already: its remote servers form a circle.")
    if len(via) >= MOST_HANDS:
        raise EngineUnavailableError(
            f"This run was handed on {len(via)} times already: its remote servers form a circle."
        )
    return [*via, SELF]


def _own_addresses(settings: ServerSettings) -> list[str]:
    holder = Holder.current(settings.data_dir)
    return [address for address in (settings.public_url, holder.base_url if holder else None) if address]


def _place(address: str) -> tuple[str, int | None, str]:
    """Host, port and path of an address; all names of this machine's own interface count as one."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return "loopback" if is_loopback(host) else host, port, parts.path.rstrip("/")
