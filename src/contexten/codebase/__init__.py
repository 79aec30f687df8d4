"""Reading code: an index of a folder that answers where things are, who uses them and what matters for a task.

Nothing here writes into the folder that it reads. Each public name is fetched when it is first used: the processes that
read files need few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten._lazy import fetching

if TYPE_CHECKING:
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

_MODULES = {
    "Changes": ".update",
    "Codebase": ".codebase",
    "ContextItem": ".context",
    "Example": ".model",
    "File": ".model",
    "Import": ".model",
    "Problem": ".model",
    "Reference": ".model",
    "RelevantContext": ".context",
    "Summary": ".summaries",
    "Symbol": ".model",
    "TextMatch": ".model",
    "Watch": ".watch",
    "get_class_summary": ".summaries",
    "get_codebase_summary": ".summaries",
    "get_file_summary": ".summaries",
    "get_function_summary": ".summaries",
    "get_symbol_summary": ".summaries",
}

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

__getattr__ = fetching(__name__, _MODULES)


def __dir__() -> list[str]:
    return sorted(__all__)
