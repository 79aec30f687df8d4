"""The wall between the overlay and the user's program: our fault is told once and goes no further."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from . import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

_first: list[str] = []


def guarded(hook: Callable[..., Any], *args: Any) -> Any:
    """What `hook` returns, or None when it fails."""
    try:
        return hook(*args)
    except Exception as error:  # noqa: BLE001 - this is the wall: nothing of ours may reach the user's program
        _told(hook, error)
        return None


def health() -> dict[str, Any]:
    """The overlay's own health check."""
    return {"status": "degraded", "message": _first[0]} if _first else {"status": "ok"}


def _told(hook: Callable[..., Any], error: Exception) -> None:
    try:
        if not _first:
            _first.append(f"{getattr(hook, '__name__', hook)}: {type(error).__name__}: {error}")
            text = "the contexten overlay failed and stays out of the way from now on (%s)"
            logging.getLogger("codegen.contexten").warning(text, _first[0])
        metrics.increment("overlay_faults")
    except Exception:  # noqa: BLE001, S110 - when even telling fails there is nobody left to tell
        pass
