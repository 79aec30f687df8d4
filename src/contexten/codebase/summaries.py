"""Summaries of code for people and prompts, under the names that graph-sitter documents.

Each gives back text that carries the same facts as data: `summary.data`. Objects of graph-sitter are taken too.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from contexten.codebase import graph_sitter as foreign
from contexten.codebase.summary_text import (
    class_text,
    codebase_text,
    file_text,
    first_line,
    function_text,
    symbol_text,
)
from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contexten.codebase.codebase import Codebase
    from contexten.codebase.model import File, Reference, Symbol
    from contexten.codebase.questions import Questions

_MANY = 12


class Summary(str):
    """Text for a reader, with the facts in it as `data`."""

    __slots__ = ("data",)

    data: dict[str, Any]

    def __new__(cls, text: str, data: dict[str, Any]) -> Self:
        """A text and its facts."""
        made = super().__new__(cls, text)
        made.data = data
        return made


def get_codebase_summary(codebase: Codebase) -> Summary:
    """What a codebase consists of: its size by language, its kinds of definitions, and the files that matter most."""
    if foreign.is_foreign(codebase):
        return _foreign(foreign.codebase_facts(codebase), codebase_text)
    questions = codebase.questions
    snapshot = questions.snapshot
    kinds = Counter(row.kind for path in snapshot.entries for row in _rows(questions, path))
    outlines = [each.outline for each in snapshot.entries.values()]
    languages = {
        name: sum(each.language == name for each in outlines) for name in sorted({o.language for o in outlines})
    }
    central = [
        {"path": path, "score": score, "about": first_line(_docstring(questions, path))}
        for path, score in questions.graph.ranking[:_MANY]
    ]
    data = {
        "name": codebase.name,
        "files": len(outlines),
        "lines": sum(each.lines for each in outlines),
        "languages": languages,
        "symbols": dict(sorted(kinds.items())),
        "imports": sum(len(each) for each in questions.graph.import_graph.values()),
        "central_files": central,
        "problems": len(snapshot.problems),
        "problem_files": [{"path": each.path, "message": each.message} for each in snapshot.problems[:_MANY]],
    }
    return Summary(codebase_text(data), data)


def get_file_summary(file: File) -> Summary:
    """What a file defines, imports and is imported by."""
    if foreign.is_foreign(file):
        return _foreign(foreign.file_facts(file), file_text)
    questions = _origin(file)
    module = questions.snapshot.symbol(file.path, -1)
    defined = [each for each in questions.members(module) if each.kind != "variable"] if module else []
    variables = [each.name for each in questions.members(module) if each.kind == "variable"] if module else []
    imports = questions.graph.imports(file.path)
    data = {
        "path": file.path,
        "module": file.module,
        "language": file.language,
        "lines": file.lines,
        "docstring": module.docstring if module else "",
        "definitions": [_brief(each) for each in defined],
        "variables": variables,
        "imports": sorted({each.target for each in imports if each.target}),
        "external_imports": sorted({each.module for each in imports if not each.target and each.module}),
        "imported_by": sorted({each.path for each in questions.graph.importers(file.path)}),
    }
    return Summary(file_text(data), data)


def get_class_summary(cls: Symbol) -> Summary:
    """What a class is, derives from, offers, and where it is used."""
    if foreign.is_foreign(cls):
        return _foreign(foreign.class_facts(cls), class_text)
    questions = _origin(cls)
    members = questions.members(cls)
    references = questions.references(cls)
    data = {
        **_brief(cls),
        "bases": [each.qualified_name for each in questions.bases(cls)],
        "subclasses": [each.qualified_name for each in questions.subclasses(cls, direct=True)],
        "methods": [_brief(each) for each in members if each.kind == "method"],
        "attributes": [each.name for each in members if each.kind == "attribute"],
        "uses": _targets(questions.uses_in(cls), cls),
        "references": len(references),
        "used_in": _places(references),
    }
    return Summary(class_text(data), data)


def get_function_summary(func: Symbol) -> Summary:
    """What a function takes and says, what it calls and who calls it."""
    if foreign.is_foreign(func):
        return _foreign(foreign.function_facts(func), function_text)
    questions = _origin(func)
    references = questions.references(func)
    data = {
        **_brief(func),
        "calls": _targets(questions.callees(func), func),
        "uses": _targets([each for each in questions.uses_in(func) if each.kind != "call"], func),
        "callers": _places([each for each in references if each.kind in ("call", "decorator")]),
        "references": len(references),
    }
    return Summary(function_text(data), data)


def get_symbol_summary(symbol: Symbol) -> Summary:
    """The summary that fits the kind of a symbol."""
    kind = foreign.kind_of(symbol) if foreign.is_foreign(symbol) else symbol.kind
    if kind == "class":
        return get_class_summary(symbol)
    if kind in ("function", "method"):
        return get_function_summary(symbol)
    if foreign.is_foreign(symbol):
        return _foreign(foreign.symbol_facts(symbol), symbol_text)
    questions = _origin(symbol)
    if symbol.kind == "module" and (file := questions.snapshot.file(symbol.path)):
        return get_file_summary(file)
    references = questions.references(symbol)
    data = {**_brief(symbol), "references": len(references), "used_in": _places(references)}
    return Summary(symbol_text(data), data)


def _foreign(data: dict[str, Any], text: Callable[[dict[str, Any]], str]) -> Summary:
    return Summary(text(data), data)


def _origin(thing: File | Symbol) -> Questions:
    if thing.origin is None:
        raise UsageError(f"{thing!r} does not come from a codebase. Take it from Codebase.files or Codebase.symbols().")
    return thing.origin


def _rows(questions: Questions, path: str) -> Iterable[Any]:
    unit = questions.snapshot.unit(path)
    return unit.record.symbols if unit else ()


def _docstring(questions: Questions, path: str) -> str:
    unit = questions.snapshot.unit(path)
    return unit.record.docstring if unit else ""


def _brief(symbol: Symbol) -> dict[str, Any]:
    return {
        "name": symbol.name,
        "qualified_name": symbol.qualified_name,
        "kind": symbol.kind,
        "location": symbol.location,
        "end_line": symbol.end_line,
        "signature": symbol.signature,
        "decorators": list(symbol.decorators),
        "docstring": symbol.docstring,
    }


def _targets(references: Iterable[Reference], own: Symbol) -> list[str]:
    prefix = f"{own.qualified_name}."
    names = (each.target.qualified_name for each in references if each.target and each.target.kind != "module")
    return sorted({name for name in names if not name.startswith(prefix) and name != own.qualified_name})


def _places(references: Iterable[Reference]) -> list[str]:
    found = (f"{each.symbol.qualified_name if each.symbol else '(module)'} {each.location}" for each in references)
    return list(dict.fromkeys(found))
