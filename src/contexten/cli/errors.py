"""What an error means to the person at the keyboard: one line with the value and the next step, and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.exceptions import TyperException

if TYPE_CHECKING:
    from pydantic import ValidationError

DONE = 0
FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130


def explain(error: Exception, command: str) -> tuple[str, int]:
    """The line to show for an error of `command`, and the exit code."""
    if isinstance(error, TyperException):
        return _wrong_words(error, command), error.exit_code
    from contexten.errors import ContextenError

    if isinstance(error, ContextenError):
        return _sentence(error), WRONG_USE if _is_wrong_use(error) else FAILED
    return _unplanned(error, command)


def facts(error: Exception) -> dict[str, Any]:
    """What a program can act on: the kind of the error and, when a server answered so, its status, details and request id."""
    body = getattr(error, "body", None)
    return {
        "type": type(error).__name__,
        "status_code": getattr(error, "status_code", None),
        "detail": body.get("detail") if isinstance(body, dict) else None,
        "request_id": getattr(error, "request_id", None),
    }


def _sentence(error: Exception) -> str:
    """The error's words, without the number of its HTTP status."""
    return str(error).removeprefix(f"{getattr(error, 'status_code', '')}: ").rstrip()


def _is_wrong_use(error: Exception) -> bool:
    from contexten.errors import BadRequestError, InvalidInputError, SettingsError, UsageError

    if isinstance(error.__cause__, OSError):  # the machine would not: a port that is taken, a file that cannot be read
        return False
    return isinstance(error, UsageError | SettingsError | InvalidInputError | BadRequestError)


def _wrong_words(error: TyperException, command: str) -> str:
    message = (_wrong_value(error) or error.format_message()).rstrip(".")
    context = getattr(error, "ctx", None)
    where = context.command_path if context else command
    stop = "" if message.endswith("?") else "."
    return f"{message[:1].lower()}{message[1:]}{stop} See: {where} --help"


def _wrong_value(error: TyperException) -> str | None:
    """The value that was refused and why, when the error is about one."""
    from pydantic import ValidationError

    parameter = getattr(error, "param", None)
    if parameter is None or not isinstance(error.__cause__, ValidationError):
        return None
    first = error.__cause__.errors(include_url=False)[0]
    reason = (
        first["msg"].removeprefix("Value error, ").replace("Input should be", "it should be").partition(", unable")[0]
    )
    return f"{parameter.get_error_hint()} is {first['input']!r}: {reason}"


def _unplanned(error: Exception, command: str) -> tuple[str, int]:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return _bad_setting(error), WRONG_USE
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", FAILED
    detail = f"{type(error).__name__}: {error}"
    return (
        f"this is a fault of contexten ({detail}). Its traceback: contexten --debug {command.removeprefix('contexten ')} …",
        FAILED,
    )


def _bad_setting(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"])) or error.title
    return f"{name}={first['input']!r} cannot be used: {first['msg']}."
