"""Answers about code in lines of text, the same wherever they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.errors import CodebaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contexten.codebase.codebase import Codebase
    from contexten.codebase.model import Reference, Symbol


def symbols_named(codebase: Codebase, name: str, *, otherwise: str) -> list[Symbol]:
    """The symbols that a name means.

    Args:
        codebase: where to look.
        name: simple or dotted name, or the end of one.
        otherwise: what to do when no name is like it, for the message.

    Raises:
        UsageError: the name is empty.
        CodebaseError: there is none; the message names those like it.
    """
    if not name.strip():
        raise UsageError("the name is empty. Give that of a function, class, variable or module.")
    found = codebase.symbols(name)
    if not found:
        near = codebase.spellings(name)
        hint = f"Did you mean {', '.join(near)}?" if near else otherwise
        raise CodebaseError(f"no symbol {name} in {codebase.root}. {hint}")
    return found


def reference_lines(found: Mapping[Symbol, Sequence[Reference]], what: str) -> Iterator[str]:
    """Places in the code, one on a line; under a heading for each symbol when several have the name.

    Args:
        found: the places of each symbol.
        what: what they are, such as `calls`, to say that there are none.
    """
    for symbol, references in found.items():
        if len(found) > 1 and references:
            yield f"# {symbol.qualified_name}  {symbol.location}"
        for each in references:
            certain = "" if each.certain else " (perhaps)"
            within = each.symbol.qualified_name if each.symbol else "(module)"
            yield f"{each.location}  {each.kind}{certain}  in {within}: {each.text}"
    if not any(found.values()):
        places = ", ".join(f"{each.qualified_name} ({each.location})" for each in found)
        yield f"There are no {what} of {places}."


def likeness_lines(symbol: Symbol, found: Sequence[tuple[Symbol, float]]) -> Iterator[str]:
    """Symbols that are like one, each with how much, from 0 to 1."""
    for each, score in found:
        yield f"{score:4.2f}  {each.location}  {each.signature or each.qualified_name}"
    if not found:
        yield f"Nothing is like {symbol.qualified_name} ({symbol.location})."
