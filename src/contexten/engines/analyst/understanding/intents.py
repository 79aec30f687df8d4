"""Which kinds of question there are."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    """What a question wants to know."""

    DEFINE = "define"
    CALLERS = "callers"
    CALLEES = "callees"
    USES = "uses"
    RELATION = "relation"
    EXPLAIN = "explain"
    ASPECT = "aspect"
    SHOW = "show"
    CONTENTS = "contents"
    SUBCLASSES = "subclasses"
    BASES = "bases"
    RAISERS = "raisers"
    IMPORTERS = "importers"
    IMPORTS = "imports"
    TESTS = "tests"
    TEXT = "text"
    COUNT = "count"
    LARGEST = "largest"
    HAVING = "having"
    """Which functions and classes have an aspect: `which functions are async`."""
    UNUSED = "unused"
    CYCLES = "cycles"
    OVERVIEW = "overview"
    DEPENDENCIES = "dependencies"
    ENTRY_POINTS = "entry_points"
    SETUP = "setup"
    ENVIRONMENT = "environment"
    ROUTES = "routes"
    OPTIONS = "options"
    VERSIONS = "versions"
    EXPORTS = "exports"
    CHANGES = "changes"
    HELP = "help"
    SEARCH = "search"
    UNCLEAR = "unclear"
    """It points at something (`it`, `that function`) that was not named before."""
    WRITE = "write"
    """Not a question: it asks for work that needs a model."""


NEEDS_SUBJECT = frozenset({
    Intent.DEFINE, Intent.CALLERS, Intent.CALLEES, Intent.USES, Intent.RELATION, Intent.EXPLAIN, Intent.ASPECT,
    Intent.SHOW, Intent.CONTENTS, Intent.SUBCLASSES, Intent.BASES, Intent.IMPORTERS, Intent.IMPORTS,
    Intent.RAISERS,
})  # fmt: skip
TAKES_SUBJECT = NEEDS_SUBJECT | {Intent.TESTS, Intent.CHANGES, Intent.COUNT, Intent.TEXT, Intent.WRITE, Intent.SEARCH}
"""Those that may be about something named."""
NAMED = NEEDS_SUBJECT - {Intent.EXPLAIN, Intent.DEFINE, Intent.USES, Intent.ASPECT}
"""Those whose subject can only be a name: a plain word there is taken for one, known or not."""
COMMON_ASPECTS = frozenset({"async", "docstring", "decorators", "cached", "retry", "deprecated"})
"""Aspects by which functions and classes can be listed."""
SCOPED = frozenset({
    Intent.CALLERS, Intent.USES, Intent.DEFINE, Intent.TEXT, Intent.COUNT, Intent.ASPECT, Intent.EXPLAIN, Intent.SHOW,
})  # fmt: skip
"""Those that can be limited to a file or folder."""
