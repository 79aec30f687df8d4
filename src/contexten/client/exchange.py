"""What goes out to a server, what is known about it, and which errors allow asking again."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx2

from contexten._version import __version__
from contexten.client.address import normalize_base_url
from contexten.client.calls.call import Call, Repeat, reader
from contexten.client.holder import Holder
from contexten.errors import ApiError, CircuitOpenError, StatusError, UsageError
from contexten.resilience import Verdict, judge_api_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pydantic import SecretStr

SILENCE = 60.0
"""Seconds without a byte after which an event stream counts as broken; servers send a sign of life more often."""
VERSION_HEADER = "contexten-version"
_CONNECT_SECONDS = 10.0
_REFUSED = 429
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)

PROBE = Call("GET", "/health", reader(Any))
"""Open to everybody; its answer shows whose server it is."""
STREAM = Call("GET", "", reader(Any))

# At DEBUG, hpack writes the headers of every HTTP/2 request, and with them the token, to the log.
logging.getLogger("hpack").setLevel(logging.WARNING)


@dataclass(slots=True)
class Server:
    """What is known about the server at one address."""

    base_url: str
    is_ours: bool | None = None
    """Whether it is a Contexten server, with event streams and idempotency keys; None while nobody knows."""
    found_in: Path | None = None
    """Data folder whose server it is, when it was found by that folder."""
    is_lost: bool = field(default=False, init=False)
    """Whether the last attempt to reach it failed."""
    host: str = field(init=False)

    def __post_init__(self) -> None:
        self._name_host()

    def _name_host(self) -> None:
        try:
            url = httpx2.URL(self.base_url)
            url.host.encode("idna")
        except (httpx2.InvalidURL, UnicodeError) as error:
            raise UsageError(f"base_url is {self.base_url!r}: {error}.") from None
        self.host = str(url.netloc, "ascii")

    def has_moved(self) -> bool:
        """Whether a server that was lost serves its data folder at another address now, which is taken over."""
        if not self.is_lost or self.found_in is None:
            return False
        holder = Holder.current(self.found_in)
        address = normalize_base_url(holder.base_url) if holder else self.base_url
        if address == self.base_url:
            return False
        self.base_url, self.is_lost = address, False
        self._name_host()
        return True

    def learn(self, response: httpx2.Response) -> None:
        """Take note of what an answer tells about its server."""
        self.is_lost = False
        if VERSION_HEADER in response.headers:
            self.is_ours = True


def headers(
    token: SecretStr, call: Call[Any], idempotency_key: str | None = None, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers of a request.

    Raises:
        UsageError: one of them has a character that a header cannot have; it is not shown.
    """
    sent = {
        "Authorization": f"Bearer {token.get_secret_value()}",
        "Accept": "application/json",
        "User-Agent": f"contexten/{__version__}",
    }
    if call.repeat is Repeat.AGREED:
        sent["Idempotency-Key"] = idempotency_key or uuid.uuid4().hex
    sent |= more or {}
    for name, value in sent.items():
        if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
            raise UsageError(f"The header {name!r} has a character that no header can have (it is not shown here).")
    return sent


def build(
    http: httpx2.Client | httpx2.AsyncClient, call: Call[Any], path: str, sent: Mapping[str, str], seconds: float
) -> httpx2.Request:
    """The request of a call.

    Raises:
        UsageError: a value in it cannot be sent.
    """
    limits = httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
    try:
        return http.build_request(call.method, path, params=call.query, json=call.body, headers=sent, timeout=limits)
    except (TypeError, ValueError, RecursionError, httpx2.InvalidURL) as error:
        raise UsageError(f"The request cannot be sent: {str(error).rstrip('.')}.") from error


def shorter(seconds: float, left: float | None) -> float:
    """The seconds that something may take when so many are left in all; None means no end."""
    return seconds if left is None else min(seconds, left)


def path_of(call: Call[Any], org_id: int | None) -> str:
    """The call's path with the organization filled in."""
    return call.path if org_id is None else call.path.replace("{org}", str(org_id))


def judge_for(call: Call[Any], server: Server) -> Callable[[Exception], Verdict]:
    """Judges the errors of a call: one that the server may have carried out is only repeated when that does no harm."""
    if call.repeat is Repeat.ALWAYS:
        return judge_api_error

    def judge(error: Exception) -> Verdict:
        verdict = judge_api_error(error)
        harmless = not is_ambiguous(error) or (call.repeat is Repeat.AGREED and server.is_ours is True)
        return verdict if harmless else replace(verdict, retry=False)

    return judge


def is_ambiguous(error: Exception) -> bool:
    """Whether the server may have carried out a request that ended with this error."""
    if isinstance(error, StatusError):
        return error.should_retry is None and error.status_code != _REFUSED
    return not isinstance(error, CircuitOpenError) and not isinstance(error.__cause__, _UNSENT)


def needs_probe(call: Call[Any], server: Server, error: ApiError) -> bool:
    """Whether it matters now, and is not known, if the server recognises a repeated creation."""
    return call.repeat is Repeat.AGREED and server.is_ours is None and is_ambiguous(error)
