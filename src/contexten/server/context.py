"""Each request's id, its line in the log, and the answer when the server itself fails."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from contexten._version import __version__
from contexten.server.problems import FAULT, problem_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger("contexten.server")
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class RequestContext:
    """Takes over the caller's `X-Request-ID` when it is sane, else makes one, and sends it back with every answer.

    `Contexten-Version` beside it tells clients that the additions to the Codegen API are there.

    The log line of a request has its path but never its query or headers, which may hold secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["Contexten-Version"] = __version__
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            _LOG.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if status:
                raise
            await problem_response(scope, 500, FAULT)(scope, receive, send_with_id)
        if _LOG.isEnabledFor(logging.INFO):
            took = (time.perf_counter() - began) * 1000
            _LOG.info("%s %s -> %d in %.1f ms (%s)", scope["method"], scope["path"], status, took, request_id)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(12)
