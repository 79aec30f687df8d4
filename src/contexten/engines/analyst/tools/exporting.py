"""List what a package exports: the names in its `__all__`, or those that its `__init__` takes in and defines."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from contexten.codebase import syntax
from contexten.engines.analyst.descriptions import first_sentence
from contexten.engines.analyst.markdown import bullets, counted
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import Symbol
    from contexten.engines.analyst.repository import Repository

_SHOWN = 60
_PACKAGES = 5


def exports(repository: Repository, name: str | None = None) -> Finding:
    """The public names of one package or file, or of the packages at the top."""
    paths = _files(repository, name)
    if not paths:
        said = "I see no Python package at the top, so there is nothing that is exported as a whole; name a file or package."
        return Finding("no package", said, {"count": 0})
    found = {path: _public(repository, path) for path in paths[:_PACKAGES]}
    sections = []
    for path, names in found.items():
        items = [_item(repository, path, each) for each in names]
        listed = f":\n\n{bullets(items, limit=_SHOWN)}" if items else "."
        sections.append(f"`{path}` exports {counted(len(items), 'name')}{listed}")
    number = sum(map(len, found.values()))
    data = {"count": number, "names": {path: names[:200] for path, names in found.items()}}
    return Finding(counted(number, "name"), "\n\n".join(sections), data)


def _files(repository: Repository, name: str | None) -> list[str]:
    found = repository.find(name) if name else None
    if found is None:
        starts = [file.path for file in repository.codebase.files if file.path.endswith("/__init__.py")]
        tops = [path for path in starts if f"{path.rpartition('/')[0].rpartition('/')[0]}/__init__.py" not in starts]
        return [path for path in tops if not is_test(path)]
    if found.folder:
        return [path for path in (f"{found.folder}/__init__.py",) if repository.codebase.file(path)]
    return [file.path for file in found.files] or [symbol.path for symbol in found.symbols[:1]]


def _public(repository: Repository, path: str) -> list[str]:
    if listed := _dunder_all(repository.text(path)):
        return listed
    module = repository.codebase.module(path)
    taken = [each.name for each in repository.codebase.imports(path) if each.target and each.name]
    defined = [each.name for each in repository.codebase.members(module)] if module else []
    names = taken + defined if path.endswith("__init__.py") else defined
    return list(dict.fromkeys(name for name in names if not name.startswith("_") and name != "*"))


def _dunder_all(source: str) -> list[str]:
    """The names in `__all__`, as far as they are written as strings."""
    try:
        body = syntax.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets):
            strings = (each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant))
            return [each for each in strings if isinstance(each, str)]
    return []


def _item(repository: Repository, path: str, name: str) -> str:
    symbol = _defined(repository, path, name)
    if symbol is None:
        return f"`{name}`"
    about = first_sentence(symbol.docstring)
    return f"`{name}` ({symbol.kind}, `{symbol.location}`){f': {about}' if about else ''}"


def _defined(repository: Repository, path: str, name: str) -> Symbol | None:
    """The definition behind a name, followed through the files that hand it on."""
    file = repository.codebase.file(path)
    found = repository.codebase.symbols(f"{file.module}.{name}") if file and file.module else []
    sources = [each.target for each in repository.codebase.imports(path) if each.name == name and each.target]
    taken = (each for source in sources for each in repository.codebase.symbols_in(source) if each.parent is None)
    return next((each for each in (*found, *taken) if each.name == name and each.kind != "module"), None)
