"""The gate for request bodies: their size, their type, and JSON that every part behind it can store."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from starlette.requests import Request

from contexten.server.problems import Refusal, invalid

if TYPE_CHECKING:
    from starlette.types import Receive, Scope


PLAIN_BYTES = 1024 * 1024
"""Largest body of a request that carries no images; no body has more values than one of this size can have."""
_SHORT = 64 * 1024
"""A body up to this length is decoded at once; a longer one on a thread, so that others are answered meanwhile."""


class BoundedRequest(Request):
    """A request whose body is read up to a limit and must be plain JSON.

    Args:
        max_bytes: largest body; more is refused with 413 while it is read, whatever Content-Length says.
    """

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int) -> None:
        super().__init__(scope, receive)
        self._max_bytes = max_bytes

    async def body(self) -> bytes:
        """The whole body."""
        if not hasattr(self, "_body"):
            self._check(int(length) if (length := self.headers.get("content-length", "")).isdigit() else 0)
            parts, size = [], 0
            async for part in self.stream():
                size += len(part)
                self._check(size)
                parts.append(part)
            self._body = b"".join(parts)
        return self._body

    async def json(self) -> Any:
        """The decoded body: no NaN or infinity, no half surrogates, at most 200 levels deep."""
        body = await self.body()
        return _decoded(body) if len(body) <= _SHORT else await asyncio.to_thread(_decoded, body)

    def check_type(self) -> None:
        """Refuse a body that says it is something other than JSON (415); one that says nothing is taken as JSON."""
        kind = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise Refusal(415, f"The body is {kind!r}. Send JSON with the header Content-Type: application/json.")

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            message = f"The body is larger than the {self._max_bytes} bytes that this server accepts."
            raise Refusal(413, message, headers={"Connection": "close"})


def _decoded(body: bytes) -> Any:
    if len(body) > PLAIN_BYTES and sum(map(body.count, (b",", b"[", b"{"))) > PLAIN_BYTES:
        raise Refusal(413, f"The body has more than {PLAIN_BYTES} values.")
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise json.JSONDecodeError(str(error), "", 0) from None
    _check_value(value)
    return value


def _check_value(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise invalid("Numbers must be finite.", "body")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_value(item)
