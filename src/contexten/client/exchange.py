"""One exchange with the server, apart from the sending: what goes out, and what an answer or its lack means."""

from __future__ import annotations

import json
import logging
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx2
from pydantic import ValidationError

from contexten._version import __version__
from contexten.client.calls.call import Call, Repeat, reader
from contexten.errors import (
    ApiError,
    CircuitOpenError,
    ConnectError,
    ConnectionLostError,
    RequestTimeoutError,
    ResponseDecodingError,
    StatusError,
)
from contexten.resilience import Verdict, judge_api_error, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from contexten.client.calls.call import T

SILENCE = 60.0
"""Seconds without a byte after which an event stream counts as broken; servers send a sign of life more often."""
VERSION_HEADER = "contexten-version"
_CONNECT_SECONDS = 10.0
_OK, _REDIRECTS, _ERRORS, _REFUSED = 200, 300, 400, 429
_UNKNOWN_ROUTE = frozenset({404, 405, 406, 501})
_LONGEST_MESSAGE = 500
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
    host: str = field(init=False)

    def __post_init__(self) -> None:
        self.host = str(httpx2.URL(self.base_url).netloc, "ascii")

    def learn(self, response: httpx2.Response) -> None:
        """Take note of what an answer tells about its server."""
        if VERSION_HEADER in response.headers:
            self.is_ours = True


def headers(token: SecretStr, call: Call[Any], idempotency_key: str | None = None) -> dict[str, str]:
    """The headers of a request."""
    sent = {
        "Authorization": f"Bearer {token.get_secret_value()}",
        "Accept": "application/json",
        "User-Agent": f"contexten/{__version__}",
    }
    if call.repeat is Repeat.AGREED:
        sent["Idempotency-Key"] = idempotency_key or uuid.uuid4().hex
    return sent


def timeouts(seconds: float) -> httpx2.Timeout:
    """Limits for the single steps of an exchange that may take so many seconds in all."""
    return httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))


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


def judge_patiently(error: Exception) -> Verdict:
    """Judges the errors of watching: a server that is down may come back."""
    if isinstance(error, CircuitOpenError):
        return Verdict(retry=True, wait=error.retry_after)
    return judge_api_error(error)


def is_ambiguous(error: Exception) -> bool:
    """Whether the server may have carried out a request that ended with this error."""
    if isinstance(error, StatusError):
        return error.should_retry is None and error.status_code != _REFUSED
    return not isinstance(error, CircuitOpenError) and not isinstance(error.__cause__, _UNSENT)


def needs_probe(call: Call[Any], server: Server, error: ApiError) -> bool:
    """Whether it matters now, and is not known, if the server recognises a repeated creation."""
    return call.repeat is Repeat.AGREED and server.is_ours is None and is_ambiguous(error)


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


def decoded(response: httpx2.Response) -> Any:
    """The JSON of an answer, None when it has no body.

    Raises:
        ResponseDecodingError: it is not JSON.
    """
    if not response.content:
        return None
    try:
        return json.loads(response.content)
    except ValueError as error:
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
    """What an error of the transport means."""
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return RequestTimeoutError(f"{server.base_url} did not answer within {seconds:g} s.")
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return ConnectError(f"No server answers at {server.base_url}: {_text(error)}.{_hint(server)}")
    if isinstance(error, httpx2.DecodingError):
        return ResponseDecodingError(f"{server.base_url} answered something that cannot be decoded: {_text(error)}.")
    return ConnectionLostError(f"The connection to {server.base_url} broke: {_text(error)}.")


def _hint(server: Server) -> str:
    from contexten.settings import is_loopback

    local = is_loopback(httpx2.URL(server.base_url).host)
    return " Start the local server with `contexten up`." if local else ""


def _message(response: httpx2.Response, body: Any) -> str:
    if response.status_code < _ERRORS:
        where = response.headers.get("location", "nowhere")
        return f"{_asked(response)} answered with a redirect to {where}. Give the right address as base_url."
    told = body.get("message") or body.get("detail") if isinstance(body, dict) else None
    if isinstance(told, list):
        told = "; ".join(_problem(item) for item in told)
    text = str(told or _excerpt(response) or response.reason_phrase or "no message")
    return f"{response.status_code}: {text[:_LONGEST_MESSAGE]}"


def _problem(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = ".".join(str(part) for part in item.get("loc", ()))
    return f"{place}: {item.get('msg', '')}"


def _body(response: httpx2.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return response.text


def _excerpt(response: httpx2.Response) -> str:
    return response.text.strip()[:200]


def _asked(response: httpx2.Response) -> str:
    return f"{response.request.method} {response.request.url.copy_with(query=None)}"


def _text(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


def _flag(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").strip().lower())
