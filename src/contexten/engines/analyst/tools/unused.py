"""Look for what nothing refers to: candidates for dead code, never a proof of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import described, full_name, span
from contexten.engines.analyst.markdown import bullets, counted
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.calls import uses

if TYPE_CHECKING:
    from contexten.codebase import File, Symbol
    from contexten.engines.analyst.repository import Repository

_SHOWN = 40
_KEPT = 200
_CALLED = {"function", "method"}
_KINDS = (
    ("variable", {"variable"}),
    ("constant", {"variable"}),
    ("class", {"class"}),
    ("method", {"method"}),
    ("function", _CALLED),
)
_DOUBT = (
    "That is no proof that they can go: names built at run time (`getattr`, plug-ins, templates), configuration and code "
    "outside this repository are not seen."
)
_LINTER = "I do not look for unused imports: a linter does (for Python `ruff check --select F401`)."


def unused(repository: Repository, what: str, name: str | None = None) -> Finding:
    """Definitions that nothing refers to, tests included.

    Left out are those that are decorated, exported, special, public at the top of a package's `__init__`, tests, or that
    override something; of methods and attributes, those whose name occurs anywhere else.
    """
    if name and repository.find(name).symbols:
        return uses(repository, name)
    if re.search(r"\bimports\b", what, re.IGNORECASE):
        return Finding("imports are not looked at", _LINTER, {"count": 0})
    files = [file for file in _under(repository, name) if file.language == "python" and not is_test(file.path)]
    if re.search(r"\b(?:files?|modules?)\b", what, re.IGNORECASE):
        return _files(repository, files)
    kinds = next((kinds for word, kinds in _KINDS if word in what.lower()), {"class", *_CALLED})
    found = [each for file in files for each in repository.codebase.symbols_in(file.path) if each.kind in kinds]
    return _definitions([each for each in found if _may_go(repository, each)], kinds, name)


def _under(repository: Repository, name: str | None) -> list[File]:
    found = repository.find(name) if name else None
    if found is None:
        return repository.codebase.files
    if found.files:
        return list(found.files)
    return [file for file in repository.codebase.files if file.path.startswith(found.folder + "/")]


def _definitions(found: list[Symbol], kinds: set[str], name: str | None) -> Finding:
    where = f"`{name}`" if name else "this repository"
    what = "functions or methods" if kinds == _CALLED else "definitions" if len(kinds) > 1 else f"{next(iter(kinds))}s"
    left_out = f"Left out: {_LEFT_OUT}."
    if not found:
        said = f"I found no {what} in {where} that nothing refers to. {left_out}"
        return Finding("none", said, {"count": 0, "places": []})
    hidden = [each for each in found if each.name.startswith("_")]
    public = [each for each in found if not each.name.startswith("_")]
    said = [f"Nothing in this repository, tests included, refers to {counted(len(found), 'definition')} of {where}."]
    for head, symbols in (("Private, so the likeliest to be dead", hidden), ("Public, so others may use them", public)):
        if symbols:
            said.append(f"{head}:\n\n{bullets([_item(each) for each in symbols], limit=_SHOWN)}")
    said.append(f"{_DOUBT} {left_out}")
    data = {"count": len(found), "places": [each.location for each in found[:_KEPT]]}
    return Finding(counted(len(found), "definition"), "\n\n".join(said), data)


_LEFT_OUT = (
    "tests, what is decorated (a framework may call it), special methods, methods that override or whose name occurs "
    "elsewhere, entry points, and what `__all__` or a package's `__init__` exports"
)


def _item(symbol: Symbol) -> str:
    return f"`{full_name(symbol)}` ({described(symbol)}, `{span(symbol)}`)"


def _may_go(repository: Repository, symbol: Symbol) -> bool:
    special = symbol.name.startswith("__") and symbol.name.endswith("__")
    if special or symbol.decorators or symbol.path.endswith(("__init__.py", "__main__.py", "conftest.py")):
        return False
    if symbol.name == "main" or any(target.endswith(f":{symbol.name}") for target in repository.entry_targets):
        return False
    if symbol.kind == "method" and _may_override(repository, symbol):
        return False
    references = repository.codebase.references(symbol, possible=True)
    return all(ref.path == symbol.path and symbol.line < ref.line <= symbol.end_line for ref in references)


def _may_override(repository: Repository, method: Symbol) -> bool:
    """Whether a base of its class has the method too, or has bases that are not known here."""
    holders = [each for each in repository.codebase.symbols(method.parent or "") if each.path == method.path]
    for holder in (each for symbol in holders for each in (symbol, *repository.codebase.bases(symbol))):
        known = {each.name for each in repository.codebase.bases(holder)} | {"object", "Generic", "Protocol"}
        written = holder.signature.partition("(")[2].rpartition(")")[0]
        names = {
            name.rpartition(".")[2] for name in re.findall(r"[\w.]+(?=\s*(?:[,\[]|$))", re.sub(r"\[.*?\]", "", written))
        }
        if names - known:
            return True
        if holder not in holders and any(each.name == method.name for each in repository.codebase.members(holder)):
            return True
    return False


def _files(repository: Repository, files: list[File]) -> Finding:
    started = {target.partition(":")[0] for target in repository.entry_targets}
    found = [
        file.path
        for file in files
        if not file.path.endswith(("__init__.py", "__main__.py", "setup.py", "conftest.py"))
        and file.module not in started
        and not repository.codebase.importers(file.path)
    ]
    if not found:
        return Finding("none", "Every file is imported by another, or is an entry point.", {"count": 0})
    said = f"No file of this repository imports {counted(len(found), 'file')}, as far as imports can be followed:"
    note = "They may be programs of their own, or be imported by a name that is built at run time."
    listed = bullets([f"`{path}`" for path in found], limit=_SHOWN)
    return Finding(counted(len(found), "file"), f"{said}\n\n{listed}\n\n{note}", {"count": len(found)})
