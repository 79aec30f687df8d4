"""The offline engine: answers questions about a repository by reading it, without a model."""

from contexten.engines.analyst.engine import AnalystEngine
from contexten.engines.analyst.indexes import codebase_for

__all__ = ["AnalystEngine", "codebase_for"]
