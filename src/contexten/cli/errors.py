"""What an error means to the person at the keyboard: one line with the value and the next step, and an exit code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from typer.exceptions import TyperException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError

DONE = 0
FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
_NAMES = {"Codegen", "Contexten", "Python", "Redis"}
_ALIKE = 0.7
"""How alike two words must be for one to be meant by the other."""


def explain(error: Exception, command: str) -> tuple[str, int]:
    """The line to show for an error of `command`, and the exit code."""
    message, code = _explained(error, command)
    return uncapitalized(message), code


def uncapitalized(message: str) -> str:
    """The message as it follows `error:`: with a small first letter, unless a name begins it."""
    first = message.partition(" ")[0]
    is_word = first == "A" or (first[1:].islower() and first not in _NAMES)
    return message[:1].lower() + message[1:] if is_word else message


def _explained(error: Exception, command: str) -> tuple[str, int]:
    if isinstance(error, TyperException):
        return _wrong_words(error, command), error.exit_code
    from contexten.errors import ContextenError

    if isinstance(error, ContextenError):
        return f"{_sentence(error)}{_next_step(error)}", WRONG_USE if _is_wrong_use(error) else FAILED
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
    said = str(error).removeprefix(f"{getattr(error, 'status_code', '')}: ").rstrip()
    return said.replace(", or pass token=….", ".")  # there is no such option: others could read it


def _next_step(error: Exception) -> str:
    """What to do about a server that the environment names, or a token from there."""
    from contexten.errors import AuthenticationError, ConnectError

    if isinstance(error, AuthenticationError):
        named = next((name for name in ("CODEGEN_API_TOKEN", "CODEGEN_TOKEN") if os.environ.get(name)), None)
        return f" The token is that of {named}: correct it, or unset it to use the local server." if named else ""
    address = os.environ.get("CODEGEN_BASE_URL", "").rstrip("/").removesuffix("/v1")
    if isinstance(error, ConnectError) and address and address in str(error):
        return " The address is that of CODEGEN_BASE_URL: correct it, or unset it to use the local server."
    return ""


def _is_wrong_use(error: Exception) -> bool:
    from contexten.errors import BadRequestError, InvalidInputError, SettingsError, UsageError

    if isinstance(error.__cause__, OSError):  # the machine would not: a port that is taken, a file that cannot be read
        return False
    return isinstance(error, UsageError | SettingsError | InvalidInputError | BadRequestError)


def _wrong_words(error: TyperException, command: str) -> str:
    message = (_wrong_value(error) or _wrong_option(error) or error.format_message()).rstrip(".")
    context = getattr(error, "ctx", None)
    where = context.command_path if context else command
    stop = "" if message.endswith("?") else "."
    return f"{message}{stop} See: {where} --help"


def _wrong_option(error: TyperException) -> str | None:
    """The option that there is not, and the one that is meant when there is one like it."""
    from difflib import get_close_matches

    option: str | None = getattr(error, "option_name", None)
    others: Sequence[str] | bool | None = getattr(error, "possibilities", False)
    if option is None or isinstance(others, bool):
        return None
    near = get_close_matches(option, others or (), n=1, cutoff=_ALIKE)
    return f"there is no option {option}{f'. Did you mean {near[0]}?' if near else ''}"


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
