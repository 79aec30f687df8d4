"""What an answer of the server means, or the lack of one: a result or an error of `contexten.errors`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx2
from pydantic import ValidationError

from contexten.errors import (
    ApiError,
    ConnectError,
    ConnectionLostError,
    RequestTimeoutError,
    ResponseDecodingError,
    StatusError,
)
from contexten.resilience import retry_after
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from contexten.client.calls.call import Call, T
    from contexten.client.exchange import Server

_OK, _REDIRECTS, _ERRORS = 200, 300, 400
_UNKNOWN_ROUTE = frozenset({404, 405, 406, 501})
_LONGEST_MESSAGE = 500
_SHORTEST_TOKEN = 8
"""Characters; what is shorter is no secret, and stands in many words."""
_NOT_JSON = (ValueError, RecursionError)
"""What the standard library raises for a text that is not JSON, or nested deeper than it reads."""


def decoded(response: httpx2.Response) -> Any:
    """The JSON of an answer, None when it has no body.

    Raises:
        ResponseDecodingError: it is not JSON.
    """
    if not response.content:
        return None
    try:
        return json.loads(response.content)
    except _NOT_JSON as error:
        raise ResponseDecodingError(
            f"{_asked(response)} answered {response.headers.get('content-type', 'something')} "
            f"that is not JSON: {_excerpt(response)!r}. Is base_url a Codegen API?",
            request_id=request_id(response),
        ) from error


def result(call: Call[T], response: httpx2.Response, data: Any) -> T:
    """The call's result.

    Raises:
        ResponseDecodingError: the answer is JSON, but not that of the API.
    """
    try:
        return call.read(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise ResponseDecodingError(
            f"{_asked(response)} answered something else than the API describes: {place}: {first['msg']}.",
            request_id=request_id(response),
        ) from error


class NoEventStreamError(ApiError):
    """The server has no event streams: a hosted Codegen."""


def is_event_stream(response: httpx2.Response) -> bool:
    """Whether an answer is the stream that was asked for."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return response.status_code == _OK and kind == "text/event-stream"


def refuse_stream(response: httpx2.Response, server: Server) -> None:
    """Raise what it means that an answer, which was read, is not an event stream.

    Raises:
        NoEventStreamError: the server does not know such streams.
        StatusError: it does, but answered with an error.
    """
    unknown = response.status_code < _ERRORS or response.status_code in _UNKNOWN_ROUTE
    if unknown and server.is_ours is not True:
        server.is_ours = False
        raise NoEventStreamError(f"{server.base_url} has no event streams.")
    check(response)
    raise ResponseDecodingError(f"{_asked(response)} answered {response.headers.get('content-type')}, not a stream.")


def to(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    """The answer to a request; one that a middleware made up does not know of it."""
    try:
        _ = response.request
    except RuntimeError:
        response.request = request
    return response


def check(response: httpx2.Response) -> None:
    """Accept an answer that was read, or raise what it means.

    Raises:
        StatusError: the class for the answer's status.
    """
    if response.status_code >= _REDIRECTS:
        raise _error_of(response)


def _error_of(response: httpx2.Response) -> StatusError:
    body = _body(response)
    status = response.status_code
    return StatusError.for_status(status)(
        _message(response, body),
        status_code=status,
        body=body,
        request_id=request_id(response, body),
        retry_after=retry_after(response.headers, time.time()),
        should_retry=_flag(response.headers.get("x-should-retry")),
    )


def request_id(response: httpx2.Response, body: Any = None) -> str | None:
    """The server's id of a request."""
    told = response.headers.get("x-request-id")
    if told is None and isinstance(body, dict):
        told = body.get("request_id")
    return None if told is None else str(told)


def failure(error: Exception, server: Server, seconds: float) -> ApiError:
    """What an error of the transport means; a server that was not reached is noted as lost."""
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return RequestTimeoutError(f"{server.base_url} did not answer within {seconds:g} s.")
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        server.is_lost = True
        return ConnectError(f"No server answers at {server.base_url}: {_text(error)}.{_hint(server)}")
    if isinstance(error, httpx2.DecodingError | httpx2.SSEError):
        return ResponseDecodingError(f"{server.base_url} answered something that cannot be decoded: {_text(error)}.")
    server.is_lost = True
    return ConnectionLostError(f"The connection to {server.base_url} broke: {_text(error)}.")


def _hint(server: Server) -> str:
    local = is_loopback(httpx2.URL(server.base_url).host)
    return " Start the local server with `contexten up`." if local else ""


def _message(response: httpx2.Response, body: Any) -> str:
    if response.status_code < _ERRORS:
        where = response.headers.get("location", "nowhere")
        return f"{_asked(response)} answered with a redirect to {where}. Give the right address as base_url."
    told = body.get("message") or body.get("detail") if isinstance(body, dict) else None
    if isinstance(told, list):
        told = "; ".join(_problem(item) for item in told)
    text = str(told or _excerpt(response) or f"HTTP {response.status_code} {response.reason_phrase}")
    return text[:_LONGEST_MESSAGE]


def _problem(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = item.get("loc")
    shown = ".".join(str(part) for part in place) if isinstance(place, list) else str(place)
    return f"{shown}: {item.get('msg', '')}"


def _body(response: httpx2.Response) -> Any:
    try:
        return json.loads(_content(response))
    except _NOT_JSON:
        return _text_of(response)


def _excerpt(response: httpx2.Response) -> str:
    return _text_of(response).strip()[:200]


def _text_of(response: httpx2.Response) -> str:
    """The body as text; a server may name an encoding that is none of text."""
    return _content(response).decode(errors="replace")


def _content(response: httpx2.Response) -> bytes:
    """The body without the token that was sent: a server may repeat it, and errors are shown and logged."""
    token = response.request.headers.get("authorization", "").removeprefix("Bearer ")
    return response.content.replace(token.encode(), b"[hidden]") if len(token) >= _SHORTEST_TOKEN else response.content


def _asked(response: httpx2.Response) -> str:
    return f"{response.request.method} {response.request.url.copy_with(query=None)}"


def _text(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


def _flag(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").strip().lower())
