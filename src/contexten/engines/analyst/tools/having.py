"""List the functions and classes that have something in common, as their signatures, decorators and docstrings tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import full_name
from contexten.engines.analyst.markdown import bullets, counted
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.codebase import Symbol
    from contexten.engines.analyst.repository import Repository

_SHOWN = 40
_LACKING = re.compile(r"\b(?:no|without|lacks?|lacking|missing|not|n't|un\w+)\b", re.IGNORECASE)
_KINDS = {"function", "method", "class"}


def _decorated(word: str) -> Callable[[Symbol], bool]:
    return lambda symbol: any(word in each.lower() for each in symbol.decorators)


_COMMON: dict[str, tuple[str, str, Callable[[Symbol], bool]]] = {
    "async": ("are `async def`", "are not `async def`", lambda symbol: symbol.signature.startswith("async ")),
    "docstring": ("have a docstring", "have no docstring", lambda symbol: bool(symbol.docstring)),
    "decorators": ("are decorated", "are not decorated", lambda symbol: bool(symbol.decorators)),
    "cached": ("have a cache decorator", "have no cache decorator", _decorated("cache")),
    "retry": ("have a retry decorator", "have no retry decorator", _decorated("retry")),
    "deprecated": (
        "speak of a deprecation",
        "do not speak of a deprecation",
        lambda symbol: "deprecat" in symbol.docstring.lower() or _decorated("deprecat")(symbol),
    ),
}


def having(repository: Repository, aspect: str, what: str) -> Finding:
    """The functions, methods and classes outside tests of which something is true; or is not, when that is asked."""
    have, have_not, holds = _COMMON[aspect]
    lacking = bool(_LACKING.search(what))
    words = what.lower()
    kinds = {kind for kind in _KINDS if kind in words or (kind == "method" and "function" in words)} or _KINDS
    found = [
        each
        for file in repository.codebase.files
        if not is_test(file.path)
        for each in repository.codebase.symbols_in(file.path)
        if each.kind in kinds and not (lacking and each.name.startswith("_")) and holds(each) is not lacking
    ]
    nouns = "Public definitions" if lacking else "Definitions"
    head = f"{nouns} outside tests that {have_not if lacking else have}: {len(found)}"
    items = [f"`{full_name(each)}` ({each.kind}, `{each.location}`)" for each in found]
    said = f"{head}.\n\n{bullets(items, limit=_SHOWN)}" if items else f"{head}."
    return Finding(counted(len(found), "definition"), said, {"count": len(found)})
