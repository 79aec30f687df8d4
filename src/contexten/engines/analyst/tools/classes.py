"""What classes and files contain, what they derive from, and what derives from them."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import entry, first_sentence, placed
from contexten.engines.analyst.markdown import bullets, code, counted, few, joined, shorten
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import Symbol
    from contexten.engines.analyst.repository import Repository

MAX_SYMBOLS = 3


def subclasses(repository: Repository, name: str) -> Finding:
    """The classes that derive from a class, through others as well."""
    classes = [symbol for symbol in repository.find(name).symbols if symbol.kind == "class"][:MAX_SYMBOLS]
    if not classes:
        return _of_outside(repository, name)
    sections, everything = [], []
    for symbol in classes:
        direct = {each.qualified_name for each in repository.codebase.subclasses(symbol, direct=True)}
        found = repository.codebase.subclasses(symbol)
        everything += found
        items = [placed(each) + ("" if each.qualified_name in direct else ", through another") for each in found]
        sections.append(_derived(f"{placed(symbol)}", items) + _conforming(repository, symbol))
    data = {"name": name, "classes": [entry(each) for each in everything[:100]]}
    return Finding(counted(len(everything), "class"), "\n\n".join(sections), data)


def _derived(base: str, items: list[str]) -> str:
    if not items:
        return f"No class of this repository derives from {base}."
    return (
        f"{counted(len(items), 'class')} {'derives' if len(items) == 1 else 'derive'} from {base}:\n\n{bullets(items)}"
    )


def _conforming(repository: Repository, symbol: Symbol) -> str:
    """For a protocol the classes that have all its methods, which need not derive from it."""
    wanted = {each.name for each in repository.codebase.members(symbol) if each.kind == "method"}
    if not wanted or not re.search(r"\bProtocol\b", symbol.signature):
        return ""
    methods: dict[tuple[str, str], set[str]] = {}
    for file in repository.codebase.files:
        for each in repository.codebase.symbols_in(file.path):
            if each.kind == "method" and each.name in wanted and each.parent != symbol.qualified_name:
                methods.setdefault((each.path, each.parent or ""), set()).add(each.name)
    found = [
        placed(each)
        for (path, parent), names in methods.items()
        if names == wanted
        for each in repository.codebase.symbols(parent)
        if each.path == path and each.kind == "class"
    ]
    said = f" It is a protocol, from which classes need not derive; {counted(len(found), 'class')} "
    return said + ("has" if len(found) == 1 else "have") + f" all its methods:\n\n{bullets(found)}" if found else ""


def _of_outside(repository: Repository, name: str) -> Finding:
    """Classes that derive from one that is not defined here, such as `Exception`."""
    names = "|".join(map(re.escape, _built_in_below(name.rpartition(".")[2])))
    pattern = rf"^\s*class\s+\w+\s*\([^)]*\b(?:{names})\b"
    lines = {
        (match.path, match.line) for match in repository.codebase.search_text(pattern, regex=True, ignore_case=False)
    }
    direct = [
        each
        for path in sorted({path for path, _ in lines})
        for each in repository.codebase.symbols_in(path)
        if (path, each.line) in lines
    ]
    further = [each for symbol in direct for each in repository.codebase.subclasses(symbol)]
    found = {each.location: each for each in (*direct, *further)}
    if not found:
        said = f"No class named `{name}` is defined in this repository, and none derives from one."
        near = [
            each
            for each in repository.near(name)
            if any(symbol.kind == "class" for symbol in repository.find(each).symbols)
        ]
        said += (
            f" Classes of similar names: {joined([placed(repository.find(each).symbols[0]) for each in near], 'or')}."
            if near
            else ""
        )
        return Finding("none", said, {"name": name, "classes": []})
    items = [placed(each) + ("" if each in direct else ", through another") for each in found.values()]
    data = {"name": name, "classes": [entry(each) for each in list(found.values())[:100]]}
    return Finding(
        counted(len(found), "class"), _derived(f"`{name}`, which is not defined in this repository", items), data
    )


def _built_in_below(name: str) -> list[str]:
    """A name, and if it is that of a built-in exception those of the built-in ones that derive from it."""
    base = getattr(builtins, name, None)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        return [name]
    known = vars(builtins).items()
    return [name, *(each for each, kind in known if isinstance(kind, type) and issubclass(kind, base) and each != name)]


def bases(repository: Repository, name: str) -> Finding:
    """What a class derives from."""
    classes = [symbol for symbol in repository.find(name).symbols if symbol.kind == "class"][:MAX_SYMBOLS]
    if not classes:
        return Finding("not a class", f"`{name}` is not a class.")
    sections = []
    for symbol in classes:
        written = symbol.signature.partition("(")[2].rpartition(")")[0]
        known = [f"`{each.name}` (`{each.location}`)" for each in repository.codebase.bases(symbol)]
        text = f"`{symbol.name}` (`{symbol.location}`) is written as {code(symbol.signature or symbol.name)}."
        if known:
            text += f" Of this repository it derives, in this order, from:\n\n{bullets(known)}"
        elif not written:
            text += " It names no base class."
        sections.append(text)
    return Finding(shorten(", ".join(symbol.signature for symbol in classes)), "\n\n".join(sections), {"name": name})


def contents(repository: Repository, name: str) -> Finding:
    """What a class, file or folder defines."""
    from contexten.engines.analyst.tools.explaining import explain, outline

    found = repository.find(name)
    classes = [symbol for symbol in found.symbols if symbol.kind == "class"][:MAX_SYMBOLS]
    if classes:
        sections = [
            "\n\n".join(class_parts(repository, symbol)) or f"`{symbol.name}` defines nothing." for symbol in classes
        ]
        number = sum(len(repository.codebase.members(symbol)) for symbol in classes)
        return Finding(counted(number, "member"), "\n\n".join(sections), {"name": name})
    if found.files:
        paths = [file.path for file in found.files[:MAX_SYMBOLS]]
        outlines = [(path, outline(repository, path) or "It defines no functions or classes.") for path in paths]
        sections = [f"`{path}`: {said}" if len(paths) > 1 else said for path, said in outlines]
        return Finding(paths[0], "\n\n".join(sections), {"name": name})
    return explain(repository, name)


def class_parts(repository: Repository, symbol: Symbol) -> list[str]:
    """The methods and attributes of a class, and the classes around it, as pieces of an answer."""
    members = repository.codebase.members(symbol)
    methods = [each for each in members if each.kind in {"method", "function"}]
    attributes = [each for each in members if each.kind not in {"method", "function", "class"}]
    parts = []
    if methods:
        items = []
        for each in methods:
            about = first_sentence(each.docstring)
            items.append(f"{code(repository.called_as(each))} (line {each.line}){f': {about}' if about else ''}")
        parts.append(f"`{symbol.name}` has {counted(len(items), 'method')}:\n\n{bullets(items)}")
    if attributes:
        names = [f"`{name}`" for name in dict.fromkeys(each.name for each in attributes)]
        parts.append(f"It has {counted(len(names), 'attribute')}: {few(names, 30)}.")
    if inherited := repository.codebase.bases(symbol):
        parts.append(f"Derives from {few([placed(each) for each in inherited])}.")
    if derived := repository.codebase.subclasses(symbol):
        parts.append(f"Subclasses: {few([placed(each) for each in derived])}.")
    return parts
