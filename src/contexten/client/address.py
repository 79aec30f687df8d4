"""Where requests go and as whom: explicit arguments, then the environment, then the local server's credentials.

A token is only ever sent to a host that the user named, or to the local server: the token of the credentials file goes
to the process that holds the data folder and nowhere else, and an address in a `.env` file gets only the token beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from contexten.client.holder import Holder
from contexten.client.local import LocalCredentials
from contexten.errors import ConnectError, SettingsError, UsageError
from contexten.settings import DEFAULT_HOST, DEFAULT_PORT, ClientSettings, ShellSettings

if TYPE_CHECKING:
    from pathlib import Path

_LOCAL = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


@dataclass(frozen=True, slots=True)
class Address:
    """The server that a client talks to and the identity it uses there."""

    base_url: str
    """Scheme, host, port and path prefix; no `/v1`, no trailing slash."""
    token: SecretStr
    org_id: int | None
    """Organization of requests that name none; None when it has to be asked for."""
    local: bool = False
    """Whether this is the local server that the credentials file names."""
    found_in: Path | None = None
    """Data folder whose server was looked for, because no address was named; it may come back at another."""


def resolve_address(
    token: str | SecretStr | None = None, org_id: int | str | None = None, base_url: str | None = None
) -> Address:
    """The address that a client uses.

    Args:
        token: bearer token, else that of the environment, else that of the local server.
        org_id: organization as a number or as text of digits, else that of the environment, else the local one.
        base_url: address with or without `/v1`, else that of the environment, else the local server.

    Raises:
        UsageError: a value cannot be meant, or there is no token to use.
        ConnectError: the local server is meant and it does not run.
        SettingsError: a variable of the environment has such a value, or names no address for its token but a `.env` file does.
    """
    organization = None if org_id is None else parse_org_id(org_id)
    named = None if base_url is None else normalize_base_url(base_url)
    settings = _settings()
    if named is None and settings.base_url is not None:
        named = normalize_base_url(settings.base_url)
        _check_source(named, settings, given=token is not None)
    secret = _usable(token, "token") or _usable(settings.api_token, "CODEGEN_API_TOKEN")
    if organization is None:
        organization = settings.org_id
    if secret is not None and named is not None:
        return Address(named, secret, organization)
    return _complete(named, secret, organization, settings)


def parse_org_id(value: int | str) -> int:
    """An organization's number.

    Raises:
        UsageError: `value` is neither a positive number nor text of digits.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and int(value) > 0:
        return int(value)
    raise UsageError(f"org_id is {value!r}: it must be a positive whole number, such as 1 or '1'.")


def normalize_base_url(value: str) -> str:
    """An address without `/v1` and trailing slashes.

    Raises:
        UsageError: it is not an http or https address, or it carries credentials, a query or a fragment.
    """
    text = value.strip()
    wrong = UsageError(f"base_url is {_shown(text)}: it must look like https://host or http://host:port.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    if "@" in parts.netloc:
        raise UsageError("base_url has a user name or password in it: give the token as `token` instead.")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{path}"


def _shown(address: str) -> str:
    """What may be said of an address that cannot be used: no user, no password, no query."""
    return repr(re.sub(r"^(\w+://)?.*@", r"\1…@", re.split("[?#]", address)[0]))


def _check_source(address: str, settings: ClientSettings, *, given: bool) -> None:
    """Refuse to send a token to an address that only a `.env` file names, unless the token is from there too.

    The current folder may be somebody else's repository.
    """
    shell = _settings(ShellSettings)
    if settings.base_url == shell.base_url or not (given or shell.api_token):
        return
    source = "the program" if given else "the environment (CODEGEN_API_TOKEN)"
    raise SettingsError(
        f"The address {address} is from the file .env in this folder, the token from {source}: it is not sent there. "
        "Export CODEGEN_BASE_URL when you trust that address, or put the token into the same .env."
    )


def _complete(named: str | None, secret: SecretStr | None, org_id: int | None, settings: ClientSettings) -> Address:
    local, holder = LocalCredentials.read(settings.data_dir), Holder.current(settings.data_dir)
    known = (holder.base_url if holder else None) or (local.base_url if local else None)
    local_url = None if known is None else normalize_base_url(known)
    address = named or local_url or _LOCAL
    found_in = settings.data_dir if named is None and holder else None
    if secret is not None:
        return Address(address, secret, org_id, local=address == local_url, found_in=found_in)
    if local is None or address != local_url:
        raise UsageError(
            f"There is no token for {address}. Start the local server with `contexten up`, "
            "or set CODEGEN_API_TOKEN, or pass token=…."
        )
    if holder is None:
        raise ConnectError(
            f"The local server of {settings.data_dir} is not running, and its token is for no other. "
            "Start it with `contexten up`, or set CODEGEN_API_TOKEN and CODEGEN_BASE_URL."
        )
    organization = local.organization_id if org_id is None else org_id
    return Address(address, SecretStr(local.token), organization, local=True, found_in=found_in)


def _usable(token: str | SecretStr | None, name: str) -> SecretStr | None:
    if token is None:
        return None
    text = token.get_secret_value() if isinstance(token, SecretStr) else token
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{name} is empty or has characters that no token has (it is not shown here).")
    return SecretStr(text)


def _settings(kind: type[ClientSettings] = ClientSettings) -> ClientSettings:
    try:
        return kind()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        raise SettingsError(f"{name} is {first['input']!r}: {first['msg']}.") from None
