"""The gate to the network: which Host and Origin headers are let in. Anything not known is refused.

The Host check is what stops DNS rebinding: a page that points its own name at this machine still sends its own name.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contexten.server.problems import problem_response
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from contexten.settings import ServerSettings

_NOT_ALLOWED = 1008
"""Why a connection was not opened: a policy. Source: RFC 6455, section 7.4.1."""


class Guard:
    """Refuses requests whose Host is not a name of this server (400) or whose Origin may not call it (403)."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._hosts = HostNames(settings)
        self._origins = frozenset(origin.rstrip("/").lower() for origin in settings.allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it in (ASGI)."""
        if scope["type"] == "http" and (refusal := self._refusal(scope["headers"])):
            await problem_response(scope, *refusal)(scope, receive, send)
            return
        if scope["type"] == "websocket" and self._is_strange(scope["headers"]):
            await send({"type": "websocket.close", "code": _NOT_ALLOWED})
            return
        await self._app(scope, receive, send)

    def _is_strange(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a connection may not be opened: only our own pages open any, and browsers say whose a page is."""
        origins = [value for name, value in headers if name == b"origin"]
        return len(origins) != 1 or self._refusal(headers) is not None

    def _refusal(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        hosts = [value for name, value in headers if name == b"host"]
        host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
        if not self._hosts.known(host):
            return 400, f"The Host header {host!r} is not a name of this server. Allow it with CONTEXTEN_ALLOWED_HOSTS."
        origin = next((value.decode("latin-1").lower() for name, value in headers if name == b"origin"), None)
        if origin is not None and not self._may_call(origin, host):
            return 403, f"Pages from {origin!r} may not call this server. Allow them with CONTEXTEN_ALLOWED_ORIGINS."
        return None

    def _may_call(self, origin: str, host: str) -> bool:
        same = origin in {f"http://{host}", f"https://{host}"}
        return same or origin in self._origins


class HostNames:
    """The names that this server answers to.

    On loopback: every loopback name. Elsewhere also this machine's name, any literal address (a name is what
    rebinding needs) and the names in the settings; `*.example.org` there stands for every name below it.
    """

    def __init__(self, settings: ServerSettings) -> None:
        public = urlsplit(settings.public_url).hostname if settings.public_url else None
        named = {name.lower() for name in settings.allowed_hosts if not name.startswith("*.")}
        self._suffixes = tuple(name[1:].lower() for name in settings.allowed_hosts if name.startswith("*."))
        self._names = named | ({public} if public else set())
        self._remote = not is_loopback(settings.host)
        if self._remote:
            self._names |= {socket.gethostname().lower(), settings.host.lower()}

    def known(self, host: str) -> bool:
        """Whether a Host header, with or without a port, names this server."""
        name = _host_name(host)
        if name is None:
            return False
        listed = name in self._names or name.endswith(self._suffixes or "\0")
        return listed or is_loopback(name) or (self._remote and _is_address(name))


def _host_name(host: str) -> str | None:
    """The name in a Host header, or None when it is not one."""
    if not host or any(character in host for character in "/@?# \\,"):
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
