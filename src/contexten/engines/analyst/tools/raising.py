"""Where an exception is raised, and where it is caught."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import full_name, placed
from contexten.engines.analyst.markdown import bullets, code, counted, joined
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import Reference, TextMatch
    from contexten.engines.analyst.repository import Repository

_RAISED = re.compile(r"\braise\b|\bthrow\b")
_CAUGHT = re.compile(r"\bexcept\b|\bcatch\b|\bsuppress\(")


def raisers(repository: Repository, name: str) -> Finding:
    """The places that raise an exception, those that catch it, and those that catch a class it derives from."""
    classes = [symbol for symbol in repository.find(name).symbols if symbol.kind == "class"][:3]
    if not classes:
        return _of_outside(repository, name)
    references = [ref for symbol in classes for ref in repository.references(symbol)]
    raised = [_item(ref) for ref in references if _RAISED.search(ref.text)]
    caught = [_item(ref) for ref in references if _CAUGHT.search(ref.text)]
    above = {base.qualified_name: base for symbol in classes for base in repository.codebase.bases(symbol)}
    broader = [_item(ref) for base in above.values() for ref in repository.references(base) if _CAUGHT.search(ref.text)]
    who = joined([placed(symbol) for symbol in classes])
    return _finding(name, who, raised, caught, broader)


def _of_outside(repository: Repository, name: str) -> Finding:
    """For an exception that is built in or of another package: lines that name it."""
    word = rf"\b{re.escape(name.rpartition('.')[2])}\b"
    matches = repository.codebase.search_text(word, regex=True, ignore_case=False, limit=2000)
    raised = [_line(match) for match in matches if _RAISED.search(match.text)]
    caught = [_line(match) for match in matches if _CAUGHT.search(match.text)]
    return _finding(name, f"`{name}` (not defined in this repository)", raised, caught, [])


def _finding(name: str, who: str, raised: list[str], caught: list[str], broader: list[str]) -> Finding:
    said = [f"No `raise` in this repository names {who}."]
    if raised:
        said = [f"{who} is raised in {counted(len(raised), 'place')}:\n\n{bullets(raised)}"]
    said.append(
        f"It is caught in {counted(len(caught), 'place')}:\n\n{bullets(caught)}" if caught else "No `except` names it."
    )
    if broader:
        said.append(f"It is also caught where a class that it derives from is:\n\n{bullets(broader)}")
    line = f"raised in {counted(len(raised), 'place')}, caught in {len(caught)}"
    return Finding(line, "\n\n".join(said), {"name": name, "raised": len(raised), "caught": len(caught)})


def _item(reference: Reference) -> str:
    where = f" in `{full_name(reference.symbol)}`" if reference.symbol else ""
    return f"`{reference.location}`{where}: {code(reference.text)}"


def _line(match: TextMatch) -> str:
    return f"`{match.path}:{match.line}`: {code(match.text)}"
