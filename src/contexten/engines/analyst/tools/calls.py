"""Who calls and uses a definition, and what it calls itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from contexten.engines.analyst import bodies
from contexten.engines.analyst.markdown import bullets, code, counted, few, joined
from contexten.engines.analyst.references import as_data, counted_kinds, counted_places, in_order, listed, tally
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.finding import MAX_SHOWN
from contexten.engines.analyst.tools.modules import importers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.codebase import Reference, Symbol
    from contexten.engines.analyst.repository import Repository

MAX_SYMBOLS = 4
_KEPT = 100
_UNSURE = 8


class _Asked(NamedTuple):
    """How a question was put."""

    ambiguous: bool
    """Whether several definitions have the name, so that each is told in full."""
    scope: str | None

    def name(self, symbol: Symbol) -> str:
        return f"`{symbol.qualified_name}` (`{symbol.location}`)" if self.ambiguous else f"`{symbol.name}`"

    @property
    def where(self) -> str:
        return f"`{self.scope}`" if self.scope else "this repository"


def callers(repository: Repository, name: str, scope: str | None = None) -> Finding:
    """The places that call a function or method, or make an instance of a class."""
    symbols = repository.find(name).symbols[:MAX_SYMBOLS]
    if not symbols:
        return _not_code(repository, name, "called")
    each = [
        (symbol, _in_scope(repository.codebase.references(symbol, ("call",), possible=True), scope))
        for symbol in symbols
    ]
    answers = [_called(repository, symbol, found, _Asked(len(symbols) > 1, scope)) for symbol, found in each]
    all_of_them = in_order([reference for _, found in each for reference in found])
    return Finding(tally(all_of_them), "\n\n".join(answers), {"name": name, **as_data(all_of_them)})


def uses(repository: Repository, name: str, scope: str | None = None) -> Finding:
    """All places that refer to a definition, in whatever way."""
    symbols = repository.find(name).symbols[:MAX_SYMBOLS]
    if not symbols:
        return _not_code(repository, name, "used")
    each = [(symbol, _in_scope(repository.codebase.references(symbol, possible=True), scope)) for symbol in symbols]
    answers = [_used(repository, symbol, found, _Asked(len(symbols) > 1, scope)) for symbol, found in each]
    all_of_them = in_order([reference for _, found in each for reference in found])
    return Finding(tally(all_of_them), "\n\n".join(answers), {"name": name, **as_data(all_of_them)})


def callees(repository: Repository, name: str) -> Finding:
    """What a function, method or class calls: in this repository, and outside of it."""
    symbols = [symbol for symbol in repository.find(name).symbols if symbol.kind in {"function", "method", "class"}][
        :MAX_SYMBOLS
    ]
    if not symbols:
        return _not_code(repository, name, "followed into what it calls")
    sections, places = [], []
    for symbol in symbols:
        found = repository.codebase.callees(symbol)
        sections.append(_calls(repository, symbol, found))
        places += [f"{ref.target.qualified_name} {ref.location}" for ref in found if ref.target]
    line = counted(len({place.split()[0] for place in places}), "function") + " of this repository"
    return Finding(line, "\n\n".join(sections), {"name": name, "places": places[:_KEPT]})


def relation(repository: Repository, name: str, other: str) -> Finding:
    """Whether one definition refers to another, and where."""
    first, second = repository.find(name).symbols, repository.find(other).symbols
    found = [
        reference
        for target in second[:MAX_SYMBOLS]
        for reference in repository.references(target)
        if reference.symbol and any(_holds(symbol, reference.symbol) for symbol in first)
    ]
    if derived := [each for each in first for base in repository.codebase.bases(each) if base in second]:
        answer = f"Yes: `{name}` derives from `{other}`: {code(derived[0].signature)}."
        if not any(ref.kind == "base" for ref in found):
            answer += " That is through other classes."
        if others := [ref for ref in found if ref.kind != "base"]:
            answer += f"\n\nIt also refers to it in {counted_places(others)}:\n\n{listed(others)}"
        return Finding("yes, derived", answer, {"related": True, **as_data(found)})
    if found:
        answer = f"Yes: `{name}` refers to `{other}` in {counted(len(found), 'place')}:\n\n{listed(found)}"
        return Finding(f"yes, {counted(len(found), 'place')}", answer, {"related": True, **as_data(found)})
    between = _steps_between(repository, first, second)
    if between:
        chain = " → ".join(f"`{each}`" for each in between)
        return Finding(
            "not directly", f"Not directly, but through others: {chain}.", {"related": True, "through": between}
        )
    answer = f"No: nothing in `{name}` refers to `{other}` by name, directly or through up to three calls."
    return Finding("no", answer, {"related": False})


def _called(repository: Repository, symbol: Symbol, found: list[Reference], asked: _Asked) -> str:
    verb = "instantiated" if symbol.kind == "class" else "called"
    who = asked.name(symbol)
    sure, unsure = [ref for ref in found if ref.certain], [ref for ref in found if not ref.certain]
    if not found:
        return f"No code in {asked.where} calls {who}. {_otherwise(repository, symbol)}".rstrip()
    said = [f"{who} is {verb} from {counted_places(sure)}:\n\n{listed(sure)}"] if sure else []
    if unsure:
        head = "Perhaps also called from" if sure else f"{who} is perhaps {verb} from"
        said.append(f"{head} {counted_places(unsure)} (matched by name only):\n\n{listed(unsure, limit=_UNSURE)}")
    return "\n\n".join(said)


def _otherwise(repository: Repository, symbol: Symbol) -> str:
    """What may lead to a definition that nothing calls: references of other kinds, decorators, exports."""
    others = [ref for ref in repository.references(symbol) if ref.kind not in {"call", "import"}]
    said = ""
    if symbol.decorators:
        said = f"It is decorated with {joined([code('@' + each) for each in symbol.decorators])}, so a framework may call it. "
    if others:
        said += f"It is referred to otherwise in {counted_places(others)}:\n\n{listed(others)}"
    return said


def _used(repository: Repository, symbol: Symbol, found: list[Reference], asked: _Asked) -> str:
    who = asked.name(symbol)
    if not found and asked.scope:
        return f"No code in {asked.where} refers to {who}."
    if not found:
        word = rf"\b{re.escape(symbol.name)}\b"
        lines = repository.search_text(word, limit=_KEPT, regex=True, ignore_case=False)
        items = [
            f"`{match.path}:{match.line}`: {code(match.text)}"
            for match in lines
            if (match.path, match.line) != (symbol.path, symbol.line)
        ]
        also = f" The word also stands in:\n\n{bullets(items, limit=MAX_SHOWN)}" if items else ""
        return f"No code in this repository refers to {who}.{also}"
    unsure = sum(not reference.certain for reference in found)
    note = f" Of these, {unsure} are matched by name only (marked ?)." if unsure else ""
    return f"{who} is used in {counted_places(found)} ({counted_kinds(found)}).{note}\n\n{listed(found)}"


def _calls(repository: Repository, symbol: Symbol, found: Sequence[Reference]) -> str:
    by_target: dict[str, list[Reference]] = {}
    for reference in found:
        if reference.target:
            by_target.setdefault(reference.target.qualified_name, []).append(reference)
    items = []
    for references in by_target.values():
        target = references[0].target
        lines = joined([str(line) for line in sorted({reference.line for reference in references})[:8]])
        if target:
            items.append(f"`{target.qualified_name}` (`{target.location}`), line {lines}")
    said = f"`{symbol.name}` (`{symbol.location}`) calls "
    said += (
        f"{counted(len(items), 'definition')} of this repository:\n\n{bullets(items)}"
        if items
        else "nothing of this repository."
    )
    body = repository.body(symbol)
    inside = {reference.target.name for reference in found if reference.target}
    outside = [name for name in bodies.called(body) if name.rpartition(".")[2] not in inside] if body else []
    if outside:
        shown = few([code(name) for name in outside], MAX_SHOWN)
        said += f"\n\nIt also calls {shown}, which are built in, from other packages, or not known by type."
    return said


def _holds(outer: Symbol, inner: Symbol) -> bool:
    return outer.path == inner.path and outer.line <= inner.line and inner.end_line <= outer.end_line


def _steps_between(repository: Repository, first: Sequence[Symbol], second: Sequence[Symbol]) -> list[str]:
    """A shortest chain of calls from one definition to another, at most three calls long."""
    goals = {symbol.qualified_name for symbol in second}
    paths = [[symbol] for symbol in first[:MAX_SYMBOLS]]
    seen = {symbol.qualified_name for symbol in first}
    for _ in range(3):
        longer = []
        for path in paths:
            for reference in repository.codebase.callees(path[-1]):
                target = reference.target
                if target is None or target.qualified_name in seen:
                    continue
                seen.add(target.qualified_name)
                if target.qualified_name in goals:
                    return [each.name for each in (*path, target)]
                longer.append([*path, target])
        paths = longer[:200]
    return []


def _in_scope(found: Sequence[Reference], scope: str | None) -> list[Reference]:
    """Those in a file or folder; `import a as a` counts once."""
    once = {(ref.path, ref.line, -1 if ref.kind == "import" else ref.column): ref for ref in found}
    if not scope:
        return list(once.values())
    wanted = scope.removeprefix("./").rstrip("/")
    return [ref for ref in once.values() if ref.path == wanted or f"/{ref.path}/".find(f"/{wanted}/") >= 0]


def _not_code(repository: Repository, name: str, verb: str) -> Finding:
    """A file or folder cannot be called: what can be told of it is who imports it."""
    found = repository.find(name)
    if found.document:
        return Finding(
            f"not {verb}", f"`{found.document}` is a text file, so it is not {verb}.", {"name": name, "count": 0}
        )
    what = "a folder" if found.folder else "a package" if found.package else "a file"
    finding = importers(repository, name)
    return replace(finding, answer=f"`{found.name}` is {what}, so it is imported rather than {verb}. {finding.answer}")
