"""Tools that ask the code index: where a name is defined, who uses it, and what matters for a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from contexten.engines.model.tools.tool import Arguments, Result, capped

if TYPE_CHECKING:
    from contexten.codebase import Symbol
    from contexten.engines.analyst.lookup import Found
    from contexten.engines.analyst.repository import Repository
    from contexten.engines.model.tools.tool import Place

_DEFINITIONS = 20
_USES = 80
_CONTEXT_TOKENS = 4_000
_NAME = Field(
    min_length=1, max_length=300, description="A name (`refund_order`, `Order.total`, `shop.orders`) or a path."
)


class Find(Arguments):
    """Find where a function, class, method, variable, module or file is defined, by its name."""

    name: str = _NAME


class Uses(Arguments):
    """Find every place that uses a function, class, method or variable: calls, imports, reads and writes."""

    name: str = _NAME


class Context(Arguments):
    """Get the definitions that matter most for a question about the repository, the best of them whole."""

    question: str = Field(min_length=1, max_length=2_000, description="What you want to know or do, in plain words.")


def find(place: Place, wanted: Find) -> Result:
    """Definitions of a name."""
    repository = place.code()
    found = repository.find(wanted.name)
    lines = [*map(_defined, found.symbols[:_DEFINITIONS]), *(file.path for file in found.files[:_DEFINITIONS])]
    lines += [text for text in (found.folder, found.document) if text]
    if not lines:
        return _unknown(repository, wanted.name)
    return Result(capped("\n".join(lines)), f"{wanted.name} → {_first(found)}")


def uses(place: Place, wanted: Uses) -> Result:
    """Places that use a name."""
    repository = place.code()
    symbols = repository.find(wanted.name).symbols
    if not symbols:
        return _unknown(repository, wanted.name)
    lines: list[str] = []
    for symbol in symbols[:_DEFINITIONS]:
        found = repository.references(symbol)
        lines.append(f"{symbol.qualified_name} ({symbol.location}) is used in {len(found)} places")
        lines += [f"  {each.location} {each.kind}{_around(each.symbol)}: {each.text}" for each in found[:_USES]]
        lines += [f"  [and {len(found) - _USES} more]"] * (len(found) > _USES)
    count = sum(line.startswith("  ") for line in lines)
    return Result(capped("\n".join(lines)), f"{wanted.name} · {count} uses")


def context(place: Place, wanted: Context) -> Result:
    """Definitions that matter for a question."""
    found = place.code().codebase.relevant_context(wanted.question, budget_tokens=_CONTEXT_TOKENS)
    return Result(found.text or "Nothing in the code is about this.", f"{len(found.items)} definitions")


def _unknown(repository: Repository, name: str) -> Result:
    near = repository.near(name)
    hint = f" Names like it: {', '.join(near)}." if near else " Search for a part of it, or list folders."
    return Result(f"Nothing here is called {name!r}.{hint}", f"{name} not found", ok=False)


def _defined(symbol: Symbol) -> str:
    first = symbol.docstring.partition("\n")[0]
    said = symbol.signature or f"{symbol.kind} {symbol.qualified_name}"
    return f"{symbol.path}:{symbol.line}-{symbol.end_line} {said}{f' — {first}' if first else ''}"


def _first(found: Found) -> str:
    if found.symbols:
        return found.symbols[0].location
    return found.files[0].path if found.files else found.folder or found.document


def _around(symbol: Symbol | None) -> str:
    return f" in {symbol.qualified_name}" if symbol else ""
