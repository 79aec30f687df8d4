"""Structured logs: one line per event, JSON for machines, colours for people, secrets removed."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import structlog

from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

HIDDEN = "[hidden]"
_NAMES = r"authorization|api[_-]?key|private[_-]?key|password|passwd|passphrase|secret|token|credentials?|cookie"
_SECRET_NAME = re.compile(rf"({_NAMES})$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    rf"""(?xi)
      (?P<scheme> \bBearer\ | \bAuthorization\W{{1,4}}(?:Bearer|Basic|Digest|Token)\ ) [^\s"',;\\]+
    | (?P<name> (?:{_NAMES}) (?: ["']\s*:\s*["'] | =["']? ) | [?&]code= ) [^\s"'&,;)}}\]\\]+
    | (?P<address> :// ) [^/\s:@]+ : [^/\s@]+ (?=@)    # credentials in an address
    | \b (?: ctx_ | sk- | ghp_ | gho_ | github_pat_ | xox[abp]- ) [A-Za-z0-9_\-]{{8,}}
    """
)
_DEEPEST = 8
"""Levels of a value that are looked at by name; what lies deeper is looked at as text."""


def hide_secrets(text: str) -> str:
    """The text with everything that looks like a credential replaced."""
    return _SECRET_TEXT.sub(lambda found: (found[found.lastgroup] if found.lastgroup else "") + HIDDEN, text)


def configure_logging(level: str = "WARNING", *, json: bool | None = None) -> None:
    """Send this process's logs, those of the libraries included, to standard error.

    Args:
        level: least severe level that is written, in any case: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
        json: one JSON object a line; by default exactly when standard error is not a terminal.

    Raises:
        UsageError: there is no such level.
    """
    if level.upper() not in logging.getLevelNamesMapping():
        raise UsageError(f"The log level is {level!r}: it must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            # A traceback becomes text before secrets are hidden; one made for a terminal would show local variables.
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _hide,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def _hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {str(name): _hidden(value, name) for name, value in event.items()}


def _hidden(value: Any, name: object = "", depth: int = 0) -> Any:
    if _SECRET_NAME.search(str(name)):
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return hide_secrets(value)
    if depth < _DEEPEST and isinstance(value, dict):
        return {str(key): _hidden(item, key, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden(item, depth=depth + 1) for item in value]
    return hide_secrets(repr(value))
