"""The offline engine: answers questions about a repository by reading it, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching
from contexten.engines.analyst.engine import AnalystEngine

if TYPE_CHECKING:
    from contexten.engines.analyst.indexes import codebase_for

__all__ = ["AnalystEngine", "codebase_for"]

__getattr__ = fetching(__name__, {"codebase_for": ".indexes"})
