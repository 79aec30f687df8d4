"""What an error means to the person at the keyboard: one line with the value and the next step, and an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from contexten.errors import BadRequestError, ContextenError, InvalidInputError, SettingsError, UsageError

    if isinstance(error, ContextenError):
        wrong = isinstance(error, UsageError | SettingsError | InvalidInputError | BadRequestError)
        return str(error), WRONG_USE if wrong else FAILED
    return _unplanned(error, command)


def _wrong_words(error: TyperException, command: str) -> str:
    message = error.format_message().rstrip(".")
    return f"{message[:1].lower()}{message[1:]}. See: {command} --help"


def _unplanned(error: Exception, command: str) -> tuple[str, int]:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return _bad_setting(error), WRONG_USE
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", FAILED
    detail = f"{type(error).__name__}: {error}"
    return f"this is a fault of contexten ({detail}). Its traceback: contexten --debug {command.removeprefix('contexten ')} …", FAILED


def _bad_setting(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"])) or error.title
    return f"{name}={first['input']!r} cannot be used: {first['msg']}."
