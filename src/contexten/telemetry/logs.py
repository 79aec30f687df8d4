"""Structured logs: one line per event, JSON for machines, colours for people, secrets removed."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

HIDDEN = "[hidden]"
_SECRET_NAME = re.compile(r"(authorization|api[_-]?key|password|secret|token)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"""(?x)
      (?<=Bearer\ ) \S+                      # an Authorization header
    | \b (?: ctx_ | sk- | ghp_ | gho_ | github_pat_ | xox[abp]- ) [A-Za-z0-9_\-]{8,}
    | (?<=://) [^/\s:@]+ : [^/\s@]+ (?=@)    # credentials in an address
    """
)


def hide_secrets(text: str) -> str:
    """The text with everything that looks like a credential replaced."""
    return _SECRET_TEXT.sub(HIDDEN, text)


def configure_logging(level: str = "WARNING", *, json: bool | None = None) -> None:
    """Send this process's logs, those of the libraries included, to standard error.

    Args:
        level: least severe level that is written.
        json: one JSON object a line; by default exactly when standard error is not a terminal.
    """
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
    last = [structlog.processors.format_exc_info] if as_json else []
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, _hide, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


def _hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: HIDDEN if _SECRET_NAME.search(name) else _hidden(value) for name, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return _hide(None, "", value)
    if isinstance(value, (list, tuple)):
        return [_hidden(item) for item in value]
    return value
