"""Facts from graph-sitter's objects, for those who use it already. It is not imported: its objects are recognized.

What graph-sitter does not know is left empty; what it fails to answer for a symbol is, too.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_PACKAGE = "graph_sitter"
_KINDS = {"Function": "function", "Class": "class", "GlobalVar": "variable", "Interface": "class", "Type": "class"}
_MANY = 12


def is_foreign(thing: object) -> bool:
    """Whether something is an object of graph-sitter."""
    return any(each.__module__.partition(".")[0] == _PACKAGE for each in type(thing).__mro__)


def kind_of(symbol: Any) -> str:
    """The kind of a symbol, in our words."""
    return _KINDS.get(getattr(getattr(symbol, "symbol_type", None), "name", ""), "variable")


def codebase_facts(codebase: Any) -> dict[str, Any]:
    """What `get_codebase_summary` says."""
    files = sorted(codebase.files, key=lambda file: str(file.filepath))
    imported = Counter(_file_of(each) for file in files for each in file.imports)
    central = [path for path, _count in sorted(imported.items(), key=lambda pair: (-pair[1], pair[0])) if path][:_MANY]
    return {
        "name": str(getattr(codebase, "name", "codebase")),
        "files": len(files),
        "lines": sum(len(file.content.splitlines()) for file in files),
        "languages": dict(sorted(Counter(_language(file) for file in files).items())),
        "symbols": dict(sorted(Counter(kind_of(each) for each in codebase.symbols).items())),
        "imports": sum(len(file.imports) for file in files),
        "central_files": [{"path": path, "score": float(imported[path]), "about": ""} for path in central],
        "problems": 0,
        "problem_files": [],
    }


def file_facts(file: Any) -> dict[str, Any]:
    """What `get_file_summary` says."""
    targets = [(_file_of(each), _text(getattr(each, "module", None))) for each in file.imports]
    importers = getattr(file, "inbound_imports", ())
    return {
        "path": str(file.filepath),
        "module": str(getattr(file, "import_module_name", "") or ""),
        "language": _language(file),
        "lines": len(file.content.splitlines()),
        "docstring": "",
        "definitions": [_brief(each) for each in (*file.classes, *file.functions)],
        "variables": [str(each.name) for each in file.global_vars],
        "imports": sorted({path for path, _module in targets if path}),
        "external_imports": sorted({module for path, module in targets if not path and module}),
        "imported_by": sorted({str(each.filepath) for each in importers}),
    }


def class_facts(cls: Any) -> dict[str, Any]:
    """What `get_class_summary` says."""
    return {
        **_brief(cls),
        "bases": [_text(each) for each in cls.parent_class_names],
        "subclasses": sorted(str(each.name) for each in cls.subclasses(max_depth=1)),
        "methods": [_brief(each, kind="method") for each in cls.methods()],
        "attributes": [str(each.name) for each in cls.attributes()],
        "uses": _names(cls.dependencies),
        **_usages(cls),
    }


def function_facts(func: Any) -> dict[str, Any]:
    """What `get_function_summary` says."""
    callers = [(_enclosing(each), each) for each in getattr(func, "call_sites", ())]
    return {
        **_brief(func),
        "calls": sorted({str(each.name) for each in func.function_calls}),
        "uses": _names(func.dependencies),
        "callers": list(dict.fromkeys(f"{name} {_place(each)}" for name, each in callers)),
        "references": len(func.usages),
    }


def symbol_facts(symbol: Any) -> dict[str, Any]:
    """What `get_symbol_summary` says of a variable."""
    return {**_brief(symbol), **_usages(symbol)}


def _usages(symbol: Any) -> dict[str, Any]:
    places = [
        f"{_text(getattr(each.usage_symbol, 'name', None)) or '(module)'} {_place(each.match)}"
        for each in symbol.usages
    ]
    return {"references": len(places), "used_in": list(dict.fromkeys(places))}


def _brief(symbol: Any, kind: str | None = None) -> dict[str, Any]:
    docstring = getattr(symbol, "docstring", None)
    return {
        "name": str(symbol.name),
        "qualified_name": str(getattr(symbol, "full_name", symbol.name)),
        "kind": kind or kind_of(symbol),
        "location": _place(symbol),
        "end_line": symbol.end_point[0] + 1,
        "signature": _signature(symbol),
        "decorators": [_text(each).lstrip("@") for each in getattr(symbol, "decorators", ())],
        "docstring": str(getattr(docstring, "text", "") or "").strip(),
    }


def _signature(symbol: Any) -> str:
    if kind_of(symbol) == "class":
        bases = ", ".join(_text(each) for each in getattr(symbol, "parent_class_names", ()))
        return f"class {symbol.name}({bases})" if bases else f"class {symbol.name}"
    if kind_of(symbol) != "function":
        return ""
    parameters = ", ".join(_text(each) for each in symbol.parameters)
    returns = _text(symbol.return_type)
    word = "async def" if getattr(symbol, "is_async", False) else "def"
    return f"{word} {symbol.name}({parameters}){f' -> {returns}' if returns else ''}"


def _names(symbols: Iterable[Any]) -> list[str]:
    return sorted({str(each.name) for each in symbols if getattr(each, "name", None)})


def _enclosing(call: Any) -> str:
    return _text(getattr(getattr(call, "parent_function", None), "name", None)) or "(module)"


def _place(thing: Any) -> str:
    return f"{thing.filepath}:{thing.start_point[0] + 1}"


def _file_of(imported: Any) -> str:
    symbol = getattr(imported, "imported_symbol", None)
    return str(getattr(symbol, "filepath", None) or "") if type(symbol).__name__ != "ExternalModule" else ""


def _language(file: Any) -> str:
    return str(getattr(getattr(file, "programming_language", None), "value", "") or "python").lower()


def _text(node: Any) -> str:
    source = node if isinstance(node, str) else getattr(node, "source", None)
    return str(source) if isinstance(source, str) else ""
