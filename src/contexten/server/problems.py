"""Error answers: each has the body `Problem`, and one table says which error class is which status."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from contexten.errors import (
    CodebaseError,
    ContextenError,
    EngineUnavailableError,
    SettingsError,
    StoreUnavailableError,
    UsageError,
)
from contexten.protocol import Problem
from contexten.server.store.errors import (
    IdempotencyConflictError,
    LastAdminError,
    NotThereError,
    RunBusyError,
    RunRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import Scope

STATUS_BY_ERROR: dict[type[ContextenError], int] = {
    NotThereError: 404,
    RunBusyError: 409,
    RunRefusedError: 409,
    IdempotencyConflictError: 409,
    LastAdminError: 409,
    StoreUnavailableError: 503,
    EngineUnavailableError: 422,
    UsageError: 422,
    SettingsError: 422,
    CodebaseError: 422,
}
_ADVICE = {409: {"x-should-retry": "false"}, 503: {"Retry-After": "1"}}
"""Headers that say whether the same request can succeed later. Source: the official SDKs' `x-should-retry`."""
FAULT = "The server failed on this request. Its log has the reason under the request id."


class Refusal(HTTPException):
    """A request that is not served, with what to tell the caller.

    Args:
        status_code: the HTTP status.
        message: what happened, with the value and the next step.
        headers: headers of the answer.
        errors: for 422, what is wrong where: `{loc, msg, type}`.
    """

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(status_code, message, headers)
        self.errors = errors


def invalid(message: str, *loc: str | int, kind: str = "value_error") -> Refusal:
    """A 422 about one value: `loc` says where it is, such as `"body", "prompt"`."""
    return Refusal(422, message, errors=[{"loc": list(loc), "msg": message, "type": kind}])


def problem_response(
    scope: Scope,
    status_code: int,
    message: str,
    *,
    detail: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer that tells a caller of an error."""
    request_id = scope.get("state", {}).get("request_id", "")
    body = Problem(message=message, detail=detail or message, status_code=status_code, request_id=request_id)
    return JSONResponse(body.model_dump(), status_code, headers)


def install(app: FastAPI) -> None:
    """Make the application answer every error that it expects with a `Problem`."""
    app.add_exception_handler(HTTPException, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    for error in STATUS_BY_ERROR:
        app.add_exception_handler(error, _answer_known)


async def _answer_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone; tells the type checker
    errors = error.errors if isinstance(error, Refusal) else None
    return problem_response(
        request.scope, error.status_code, _message(request, error), detail=errors, headers=error.headers
    )


def _message(request: Request, error: HTTPException) -> str:
    if isinstance(error, Refusal) or error.detail != HTTPStatus(error.status_code).phrase:
        return str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {request.url.path}. The API is described at /docs."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not allowed at {request.url.path}."
    return f"{error.detail}."


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    detail = [_plain(item) for item in error.errors()]
    message = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in detail)
    return problem_response(request.scope, 422, message or "The request cannot be used.", detail=detail)


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """One validation error without the value: a value may be a secret."""
    reason = item.get("ctx", {}).get("error") if item["type"] == "json_invalid" else None
    return {
        "loc": list(item["loc"]),
        "msg": f"{item['msg']}: {reason}" if reason else item["msg"],
        "type": item["type"],
    }


async def _answer_known(request: Request, error: Exception) -> JSONResponse:
    status = next(STATUS_BY_ERROR[cls] for cls in type(error).__mro__ if cls in STATUS_BY_ERROR)
    headers = _ADVICE.get(status)
    detail = [{"loc": ["body"], "msg": str(error), "type": "value_error"}] if status == 422 else None  # noqa: PLR2004 - the status of the branch above
    return problem_response(request.scope, status, str(error), detail=detail, headers=headers)
