"""Reading code: an index of a folder that answers where things are, who uses them and what matters for a task.

Nothing here writes into the folder that it reads.
"""

from __future__ import annotations

from contexten.codebase.codebase import Codebase
from contexten.codebase.context import ContextItem, RelevantContext
from contexten.codebase.model import Example, File, Import, Problem, Reference, Symbol, TextMatch
from contexten.codebase.summaries import (
    Summary,
    get_class_summary,
    get_codebase_summary,
    get_file_summary,
    get_function_summary,
    get_symbol_summary,
)
from contexten.codebase.update import Changes
from contexten.codebase.watch import Watch

__all__ = [
    "Changes",
    "Codebase",
    "ContextItem",
    "Example",
    "File",
    "Import",
    "Problem",
    "Reference",
    "RelevantContext",
    "Summary",
    "Symbol",
    "TextMatch",
    "Watch",
    "get_class_summary",
    "get_codebase_summary",
    "get_file_summary",
    "get_function_summary",
    "get_symbol_summary",
]
