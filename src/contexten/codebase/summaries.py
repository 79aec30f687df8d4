"""Summaries of code for people and prompts, under the names that graph-sitter documents.

Each gives back text that carries the same facts as data: `summary.data`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    questions = codebase.questions
    snapshot = questions.snapshot
    kinds = Counter(row.kind for path in snapshot.entries for row in _rows(questions, path))
    outlines = [each.outline for each in snapshot.entries.values()]
    languages = {
        name: sum(each.language == name for each in outlines) for name in sorted({o.language for o in outlines})
    }
    central = [
        {"path": path, "score": score, "about": _first_line(_docstring(questions, path))}
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
    }
    return Summary(_codebase_text(data), data)


def get_file_summary(file: File) -> Summary:
    """What a file defines, imports and is imported by."""
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
    return Summary(_file_text(data), data)


def get_class_summary(cls: Symbol) -> Summary:
    """What a class is, derives from, offers, and where it is used."""
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
    return Summary(_class_text(data), data)


def get_function_summary(func: Symbol) -> Summary:
    """What a function takes and says, what it calls and who calls it."""
    questions = _origin(func)
    references = questions.references(func)
    data = {
        **_brief(func),
        "calls": _targets(questions.callees(func), func),
        "uses": _targets([each for each in questions.uses_in(func) if each.kind != "call"], func),
        "callers": _places([each for each in references if each.kind in ("call", "decorator")]),
        "references": len(references),
    }
    return Summary(_function_text(data), data)


def get_symbol_summary(symbol: Symbol) -> Summary:
    """The summary that fits the kind of a symbol."""
    if symbol.kind == "class":
        return get_class_summary(symbol)
    if symbol.kind in ("function", "method"):
        return get_function_summary(symbol)
    questions = _origin(symbol)
    if symbol.kind == "module" and (file := questions.snapshot.file(symbol.path)):
        return get_file_summary(file)
    references = questions.references(symbol)
    data = {**_brief(symbol), "references": len(references), "used_in": _places(references)}
    return Summary("\n".join([_heading(data), *_listed("used in", data["used_in"])]), data)


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


def _first_line(text: str) -> str:
    return text.partition("\n")[0].strip()


def _heading(data: dict[str, Any]) -> str:
    decorators = "".join(f"@{each}\n" for each in data["decorators"])
    title = data["signature"] or f"{data['kind']} {data['name']}"
    docstring = "".join(f"\n    {line}".rstrip() for line in data["docstring"].splitlines())
    return f"{decorators}{title}    # {data['qualified_name']}, {data['location']}-{data['end_line']}{docstring}"


def _listed(title: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" … and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return [f"{title} ({len(names)}): {', '.join(names[:_MANY])}{more}"]


def _outline(entry: dict[str, Any]) -> str:
    about = _first_line(entry["docstring"])
    line = entry["location"].rpartition(":")[2]
    return f"    {entry['signature'] or entry['name']}    # line {line}{': ' if about else ''}{about}"


def _codebase_text(data: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in data["symbols"].items()) or "no definitions"
    languages = ", ".join(f"{name} {count}" for name, count in data["languages"].items()) or "none"
    lines = [
        f"{data['name']}: {data['files']} files, {data['lines']} lines ({languages})",
        f"definitions: {counts}; imports: {data['imports']}; files with problems: {data['problems']}",
        "central files, the most depended on first:",
        *(f"    {each['path']}{_about(each['about'])}" for each in data["central_files"]),
    ]
    return "\n".join(lines)


def _file_text(data: dict[str, Any]) -> str:
    name = f" ({data['module']})" if data["module"] else ""
    lines = [f"{data['path']}{name}: {data['language']}, {data['lines']} lines"]
    lines.extend(f"    {line}".rstrip() for line in data["docstring"].splitlines())
    lines.extend(["defines:", *map(_outline, data["definitions"])] if data["definitions"] else [])
    lines.extend(_listed("variables", data["variables"]))
    lines.extend(_listed("imports from the codebase", data["imports"]))
    lines.extend(_listed("imports from elsewhere", data["external_imports"]))
    lines.extend(_listed("imported by", data["imported_by"]))
    return "\n".join(lines)


def _class_text(data: dict[str, Any]) -> str:
    lines = [_heading(data)]
    lines.extend(_listed("derives from", data["bases"]))
    lines.extend(_listed("subclasses", data["subclasses"]))
    lines.extend(["methods:", *map(_outline, data["methods"])] if data["methods"] else [])
    lines.extend(_listed("attributes", data["attributes"]))
    lines.extend(_listed("uses", data["uses"]))
    lines.extend(_listed("used in", data["used_in"]))
    return "\n".join(lines)


def _function_text(data: dict[str, Any]) -> str:
    lines = [_heading(data)]
    lines.extend(_listed("calls", data["calls"]))
    lines.extend(_listed("uses", data["uses"]))
    lines.extend(_listed("called from", data["callers"]))
    return "\n".join(lines)


def _about(text: str) -> str:
    return f"  # {text}" if text else ""
