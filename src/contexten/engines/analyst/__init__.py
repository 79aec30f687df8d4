"""The offline engine: answers questions about a repository by reading it, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.engine import AnalystEngine

if TYPE_CHECKING:
    from contexten.engines.analyst.indexes import codebase_for

__all__ = ["AnalystEngine", "codebase_for"]


def __getattr__(name: str) -> object:
    """Fetch the index when it is first used: a server starts without it (PEP 562)."""
    if name != "codebase_for":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from contexten.engines.analyst.indexes import codebase_for

    return codebase_for
