"""Look for what nothing refers to: candidates for dead code, never a proof of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import full_name, span
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
_LEFT_OUT = (
    "Left out, because they may be used unseen: tests, decorated and inner functions, special methods, methods that may "
    'override another, names that are used on an object or stand in a string (also as a beginning: `"visit_" + kind`), '
    "alternatives of one name, entry points, and what `__all__` or a package's `__init__` exports."
)
_PLAIN_BASES = {"object", *(f"{module}{name}" for module in ("", "t.", "typing.") for name in ("Generic", "Protocol"))}
"""Base classes without methods that call others."""
_CALLED_BY_NAME = re.compile(r"(?:^|/)(?:migrations|alembic)/|(?:^|/)(?:__init__|__main__|conftest|setup)\.py$")
"""Files whose definitions are looked up by name, by a tool or by those who import a package."""
_ATTRIBUTE = re.compile(r"\.\s*(\w+)")
_STRING = re.compile(r"""["'](\w+)["']""")
_BEGINNING = re.compile(r"""["'](\w+_)["'{%]""")
_LINTER = "I do not look for unused imports: a linter does (for Python `ruff check --select F401`)."


def unused(repository: Repository, what: str, name: str | None = None) -> Finding:
    """Definitions that nothing refers to, tests included; what may well be used unseen is left out and said so."""
    if name and repository.find(name).symbols:
        return uses(repository, name)
    if re.search(r"\bimports\b", what, re.IGNORECASE):
        return Finding("imports are not looked at", _LINTER, {"count": 0})
    files = [file for file in _under(repository, name) if file.language == "python" and not is_test(file.path)]
    if re.search(r"\b(?:files?|modules?)\b", what, re.IGNORECASE):
        return _files(repository, files)
    kinds = next((kinds for word, kinds in _KINDS if word in what.lower()), {"class", *_CALLED})
    found = [each for file in files for each in repository.codebase.symbols_in(file.path) if each.kind in kinds]
    said = _Said(repository)
    return _definitions([each for each in found if _may_go(repository, each, said)], kinds, name)


def _under(repository: Repository, name: str | None) -> list[File]:
    found = repository.find(name) if name else None
    if found is None:
        return repository.codebase.files
    if found.files:
        return list(found.files)
    return [file for file in repository.codebase.files if file.path.startswith(found.folder + "/")]


def _definitions(found: list[Symbol], kinds: set[str], name: str | None) -> Finding:
    where = f"`{name}`" if name else "this repository"
    what = "class" if kinds == {"class"} else "function or method" if kinds == _CALLED else "definition"
    if not found:
        said = f"I found no {what} in {where} that nothing refers to. {_LEFT_OUT}"
        return Finding("none", said, {"count": 0, "places": []})
    hidden = [each for each in found if each.name.startswith("_")]
    public = [each for each in found if not each.name.startswith("_")]
    parts = [f"Nothing in this repository, tests included, refers to {counted(len(found), 'definition')} of {where}."]
    for head, symbols in (("Private, so the likeliest to be dead", hidden), ("Public, so others may use them", public)):
        if symbols:
            parts.append(f"{head}:\n\n{bullets([_item(each) for each in symbols], limit=_SHOWN)}")
    parts.append(f"{_DOUBT} {_LEFT_OUT}")
    data = {"count": len(found), "places": [each.location for each in found[:_KEPT]]}
    return Finding(counted(len(found), "definition"), "\n\n".join(parts), data)


def _item(symbol: Symbol) -> str:
    return f"`{full_name(symbol)}` ({symbol.kind}, `{span(symbol)}`)"


def _may_go(repository: Repository, symbol: Symbol, said: _Said) -> bool:
    special = symbol.name.startswith("__") and symbol.name.endswith("__")
    inner = symbol.kind == "function" and symbol.parent is not None
    if special or inner or symbol.name == "main" or symbol.decorators or _CALLED_BY_NAME.search(symbol.path):
        return False
    if said.perhaps(symbol) or any(target.endswith(f":{symbol.name}") for target in repository.entry_targets):
        return False
    if _has_alternative(repository, symbol) or (symbol.kind == "method" and _may_override(repository, symbol)):
        return False
    references = repository.codebase.references(symbol, possible=True)
    return all(ref.path == symbol.path and symbol.line < ref.line <= symbol.end_line for ref in references)


class _Said:
    """What the text of the code says by name: attributes, and strings that may be used to find something."""

    def __init__(self, repository: Repository) -> None:
        self._attributes: set[str] = set()
        self._strings: set[str] = set()
        self._beginnings: set[str] = set()
        for file in repository.codebase.files:
            text = repository.text(file.path)
            self._attributes.update(_ATTRIBUTE.findall(text))
            self._strings.update(_STRING.findall(text))
            self._beginnings.update(_BEGINNING.findall(text))

    def perhaps(self, symbol: Symbol) -> bool:
        """Whether a definition is perhaps meant somewhere where only running the code would tell."""
        beginnings = (symbol.name[: match.end()] for match in re.finditer("_", symbol.name))
        named = symbol.name in self._attributes or symbol.name in self._strings
        return named or any(each in self._beginnings for each in beginnings)


def _has_alternative(repository: Repository, symbol: Symbol) -> bool:
    """Whether its file defines or imports the name again, as for another platform: which one is meant is not known."""
    again = (each for each in repository.codebase.symbols_in(symbol.path) if each.parent == symbol.parent)
    imported = any(each.name == symbol.name for each in repository.codebase.imports(symbol.path))
    return imported or sum(each.name == symbol.name for each in again) > 1


def _may_override(repository: Repository, method: Symbol) -> bool:
    """Whether a base of its class has the method too, or has bases that are not known here."""
    holders = [each for each in repository.codebase.symbols(method.parent or "") if each.path == method.path]
    for holder in (each for symbol in holders for each in (symbol, *repository.codebase.bases(symbol))):
        known = {each.name for each in repository.codebase.bases(holder)}
        written = re.sub(r"\[.*?\]", "", holder.signature.partition("(")[2].rpartition(")")[0])
        names = {name.rpartition(".")[2] for name in re.findall(r"[\w.]+", written) if name not in _PLAIN_BASES}
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
        if not _CALLED_BY_NAME.search(file.path)
        and file.module not in started
        and not repository.codebase.importers(file.path)
    ]
    if not found:
        return Finding("none", "Every file is imported by another, or is an entry point.", {"count": 0})
    said = f"No file of this repository imports {counted(len(found), 'file')}, as far as imports can be followed:"
    note = "They may be programs of their own, or be imported by a name that is built at run time."
    listed = bullets([f"`{path}`" for path in found], limit=_SHOWN)
    return Finding(counted(len(found), "file"), f"{said}\n\n{listed}\n\n{note}", {"count": len(found)})
