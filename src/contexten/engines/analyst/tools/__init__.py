"""The analyst's tools: each reads the repository, changes nothing, and says what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.tools.aspects import read
from contexten.engines.analyst.tools.calls import callees, callers, relation, uses
from contexten.engines.analyst.tools.classes import bases, contents, subclasses
from contexten.engines.analyst.tools.counting import count, largest
from contexten.engines.analyst.tools.explaining import explain
from contexten.engines.analyst.tools.exporting import exports
from contexten.engines.analyst.tools.finding import find
from contexten.engines.analyst.tools.having import having
from contexten.engines.analyst.tools.history import changes
from contexten.engines.analyst.tools.lines import lines
from contexten.engines.analyst.tools.modules import cycles, importers, imports
from contexten.engines.analyst.tools.overview import overview
from contexten.engines.analyst.tools.project import dependencies, entry_points, setup
from contexten.engines.analyst.tools.raising import raisers
from contexten.engines.analyst.tools.searching import search
from contexten.engines.analyst.tools.source import show
from contexten.engines.analyst.tools.testing import tests
from contexten.engines.analyst.tools.text import find_text
from contexten.engines.analyst.tools.unused import unused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contexten.engines.analyst.step import Finding

TOOLS: Mapping[str, Callable[..., Finding]] = {
    "find": find,
    "callers": callers,
    "callees": callees,
    "uses": uses,
    "relation": relation,
    "explain": explain,
    "raisers": raisers,
    "read": read,
    "show": show,
    "contents": contents,
    "subclasses": subclasses,
    "bases": bases,
    "importers": importers,
    "imports": imports,
    "cycles": cycles,
    "unused": unused,
    "having": having,
    "exports": exports,
    "tests": tests,
    "text": find_text,
    "lines": lines,
    "count": count,
    "largest": largest,
    "overview": overview,
    "dependencies": dependencies,
    "entry_points": entry_points,
    "setup": setup,
    "changes": changes,
    "search": search,
}
"""By name. Each takes the repository and the step's input, blocks, and gives back a finding."""
