"""One tree for every error that Contexten raises on purpose.

ContextenError
├── UsageError               the caller asked for something that cannot be meant
│   ├── MissingExtraError    an optional part is not installed
│   └── WorkflowError        a workflow's document cannot be run
├── SettingsError            a setting has a value that cannot work
├── StoreError               the run store cannot do its work
│   ├── StoreUnavailableError  disk full, database locked or out of reach: try again
│   └── DataDirectoryInUseError  another process holds the data
├── EngineError              an engine could not do a run
│   ├── EngineNotFoundError
│   └── EngineUnavailableError
├── CodebaseError            source code could not be read
├── AutogenError             code that an import asks for is not there
│   ├── GenerationError      no model gave any that can be used
│   ├── PolicyError          the gate lets none of it in
│   ├── NotLockedError       it is not in autogen.lock, and nothing may be asked for
│   └── QuotaError           the day's generations or their cost are used up
├── ExtensionError           an extension is not there, or cannot be loaded
├── OverlayError             an installed codegen package cannot be changed
│   ├── CodegenNotFoundError     it is not installed there
│   ├── PackageStructureError    it is not what the overlay knows
│   ├── PackageNotWritableError  its folders cannot be written
│   ├── PackageEditedError       somebody else has changed its files
│   └── OverlayBusyError         another process is changing it
└── ApiError                 a server's answer, or the lack of one
    ├── ConnectError         no server answered
    │   ├── ConnectionLostError  the connection broke before the whole answer was there
    │   └── CircuitOpenError     not even asked: the server failed too often just now
    ├── RequestTimeoutError  it did not answer in time
    ├── ResponseDecodingError  it answered something that is not the API
    └── StatusError          it answered with an error status
        ├── BadRequestError 400        ├── ConflictError 409
        ├── AuthenticationError 401    ├── InvalidInputError 422
        ├── RunLimitError 402          ├── RateLimitError 429
        ├── PermissionDeniedError 403  └── ServerError 5xx
        ├── NotFoundError 404
        └── ServerTimeoutError 408
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class ContextenError(Exception):
    """The root: catching it catches everything Contexten raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it leave a worker process whole, whatever its constructor takes."""
        return _unpickled, (type(self), self.args), vars(self)


def _unpickled(kind: type[ContextenError], args: tuple[Any, ...]) -> ContextenError:
    return kind.__new__(kind, *args)


class UsageError(ContextenError, ValueError):
    """The caller asked for something that cannot be meant; the message names the value and the next step."""


class MissingExtraError(UsageError, ImportError):
    """An optional part was used without its packages.

    Args:
        feature: what needs it, as the start of a sentence.
        extra: the extra to install.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional part. Install it: pip install 'contexten[{extra}]'")
        self.extra = extra


class WorkflowError(UsageError):
    """A workflow's document cannot be run.

    Args:
        problems: what is wrong, each with the task and the next step.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


class SettingsError(ContextenError, ValueError):
    """A setting has a value that cannot work."""


class StoreError(ContextenError):
    """The run store cannot do its work."""


class StoreUnavailableError(StoreError):
    """The disk is full or the database is locked or out of reach; nothing was written."""


class DataDirectoryInUseError(StoreError):
    """Another process holds the data directory.

    Args:
        message: what to tell the person.
        pid: the process that holds it, when known.
        base_url: where that process serves, when it does.
    """

    def __init__(self, message: str, *, pid: int | None = None, base_url: str | None = None) -> None:
        super().__init__(message)
        self.pid = pid
        self.base_url = base_url


class EngineError(ContextenError):
    """An engine could not do a run; the run ends as FAILED with this message."""


class EngineNotFoundError(EngineError, UsageError):
    """No engine has the name that was asked for."""


class EngineUnavailableError(EngineError):
    """The engine exists but lacks something: a program, a model, a key. The message says what and how to set it."""


class CodebaseError(ContextenError):
    """Source code could not be read at all; single broken files are reported and skipped instead."""


class AutogenError(ContextenError, ImportError):
    """Code that an import asks for is not there, so the import fails; the message says what to do."""


class GenerationError(AutogenError):
    """No model gave code that can be used, as often as it was asked.

    Args:
        message: what to tell the person.
        causes: what went wrong each time, when more than one way was tried.
    """

    def __init__(self, message: str, causes: Sequence[Exception] = ()) -> None:
        super().__init__(message)
        self.causes = tuple(causes)


class PolicyError(AutogenError):
    """The gate refuses generated code; none of it was executed.

    Args:
        message: what to tell the person.
        reasons: what is wrong, each with its line.
    """

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join([message, *reasons]))
        self.reasons = list(reasons)


class NotLockedError(AutogenError):
    """The code is not in `autogen.lock`, and the mode forbids to ask for it."""


class QuotaError(AutogenError):
    """The day's generations or their cost are used up."""


class ExtensionError(ContextenError):
    """An extension is not there, or its package cannot be loaded; the message names the package."""


class OverlayError(ContextenError):
    """An installed codegen package cannot be changed; nothing of it was."""


class CodegenNotFoundError(OverlayError):
    """The package is not installed there."""


class PackageStructureError(OverlayError):
    """The package is not what the overlay knows: another version, other classes, zipped, or a source tree."""


class PackageNotWritableError(OverlayError):
    """The package's folders cannot be written."""


class PackageEditedError(OverlayError):
    """Somebody else has changed the files; going on would lose that, so it has to be asked for."""


class OverlayBusyError(OverlayError):
    """Another process is changing the package at this moment."""


class ApiError(ContextenError):
    """A server's answer that is an error, or the lack of an answer.

    Args:
        message: what happened, for a person.
        request_id: the server's id of the request, when it sent one.
    """

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id


class ConnectError(ApiError):
    """No server answered at the address."""


class ConnectionLostError(ConnectError):
    """The connection broke before the whole answer was there: the server may or may not have acted."""


class CircuitOpenError(ConnectError):
    """Nothing was sent: the server failed too often just now, and it is left alone for a while.

    Args:
        message: what happened, for a person.
        retry_after: seconds until it is asked again.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestTimeoutError(ApiError, TimeoutError):
    """The server did not answer within the time allowed."""


class ResponseDecodingError(ApiError):
    """The server answered something that is not the Codegen API."""


class StatusError(ApiError):
    """The server answered with an error status.

    Args:
        message: the server's message.
        status_code: the HTTP status.
        body: the decoded body, or its text.
        request_id: the server's id of the request, when it sent one.
        retry_after: seconds the server asks to wait, when it does.
        should_retry: whether the server says that the same request may succeed later, when it says so.
    """

    def __init__(  # noqa: PLR0913 - what an error answer carries
        self,
        message: str,
        *,
        status_code: int,
        body: Any = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.status_code = status_code
        self.body = body
        self.retry_after = retry_after
        self.should_retry = should_retry

    @staticmethod
    def for_status(status_code: int) -> type[StatusError]:
        """The class for an HTTP status; an unlisted one below 500 is a plain `StatusError`."""
        return ServerError if status_code >= _SERVER_ERRORS else _BY_STATUS.get(status_code, StatusError)


class BadRequestError(StatusError):
    """400: the request is malformed."""


class AuthenticationError(StatusError):
    """401: the token is missing, wrong or revoked."""


class RunLimitError(StatusError):
    """402: the plan's number of runs is used up."""


class PermissionDeniedError(StatusError):
    """403: the token may not do this."""


class NotFoundError(StatusError):
    """404: there is no such thing in this organization."""


class ServerTimeoutError(StatusError):
    """408: the server gave up waiting."""


class ConflictError(StatusError):
    """409: the thing is in a state that does not allow this."""


class InvalidInputError(StatusError):
    """422: a value in the request cannot be used."""


class RateLimitError(StatusError):
    """429: too many requests; `retry_after` says when to try again."""


class ServerError(StatusError):
    """5xx: the server failed."""


_SERVER_ERRORS = 500
_BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: RunLimitError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerTimeoutError,
    409: ConflictError,
    422: InvalidInputError,
    429: RateLimitError,
}
