"""What classes and files contain, what they derive from, and what derives from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import bullets, code, counted, few, shorten
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.finding import entry

if TYPE_CHECKING:
    from contexten.codebase import Symbol
    from contexten.engines.analyst.ground import Ground

MAX_SYMBOLS = 3


def subclasses(ground: Ground, name: str) -> Finding:
    """The classes that derive from a class, through others as well."""
    classes = [symbol for symbol in ground.find(name).symbols if symbol.kind == "class"][:MAX_SYMBOLS]
    if not classes:
        return _outside_base(ground, name)
    sections, everything = [], []
    for symbol in classes:
        direct = {each.qualified_name for each in ground.codebase.subclasses(symbol, direct=True)}
        found = ground.codebase.subclasses(symbol)
        everything += found
        if not found:
            sections.append(f"No class of this repository derives from `{symbol.name}` (`{symbol.location}`).")
            continue
        items = [
            f"`{each.name}` (`{each.location}`){'' if each.qualified_name in direct else ', through another'}"
            for each in found
        ]
        sections.append(
            f"{counted(len(found), 'class', 'classes')} derive from `{symbol.name}`:\n\n{bullets(items)}".replace(
                "1 class derive ", "1 class derives "
            )
        )
    return Finding(
        counted(len(everything), "class", "classes"),
        "\n\n".join(sections),
        {"name": name, "classes": [entry(each) for each in everything[:100]]},
    )


def bases(ground: Ground, name: str) -> Finding:
    """What a class derives from."""
    classes = [symbol for symbol in ground.find(name).symbols if symbol.kind == "class"][:MAX_SYMBOLS]
    if not classes:
        return Finding("not a class", f"`{name}` is not a class.")
    sections = []
    for symbol in classes:
        written = symbol.signature.partition("(")[2].rpartition(")")[0]
        known = [f"`{each.name}` (`{each.location}`)" for each in ground.codebase.bases(symbol)]
        text = f"`{symbol.name}` (`{symbol.location}`) is written as {code(symbol.signature or symbol.name)}."
        if known:
            text += f" Of this repository it derives, in this order, from:\n\n{bullets(known)}"
        elif not written:
            text += " It names no base class."
        sections.append(text)
    return Finding(shorten(", ".join(symbol.signature for symbol in classes)), "\n\n".join(sections), {"name": name})


def contents(ground: Ground, name: str) -> Finding:
    """What a class, file or folder defines."""
    from contexten.engines.analyst.tools.explaining import explain, outline

    found = ground.find(name)
    classes = [symbol for symbol in found.symbols if symbol.kind == "class"][:MAX_SYMBOLS]
    if classes:
        sections = [
            "\n\n".join(class_parts(ground, symbol)) or f"`{symbol.name}` defines nothing." for symbol in classes
        ]
        number = sum(len(ground.codebase.members(symbol)) for symbol in classes)
        return Finding(counted(number, "member"), "\n\n".join(sections), {"name": name})
    if found.files:
        sections = [
            outline(ground, file.path) or f"`{file.path}` defines no functions or classes."
            for file in found.files[:MAX_SYMBOLS]
        ]
        return Finding(f"{found.files[0].path}", "\n\n".join(sections), {"name": name})
    return explain(ground, name)


def class_parts(ground: Ground, symbol: Symbol) -> list[str]:
    """The methods and attributes of a class, and the classes around it, as pieces of an answer."""
    from contexten.engines.analyst.tools.explaining import first_sentence

    members = ground.codebase.members(symbol)
    methods = [each for each in members if each.kind in {"method", "function"}]
    attributes = [each for each in members if each.kind not in {"method", "function", "class"}]
    parts = []
    if methods:
        items = []
        for each in methods:
            about = first_sentence(each.docstring)
            items.append(f"{code(_call(each))} (line {each.line}){f': {about}' if about else ''}")
        parts.append(f"`{symbol.name}` has {counted(len(items), 'method')}:\n\n{bullets(items)}")
    if attributes:
        names = [f"`{name}`" for name in dict.fromkeys(each.name for each in attributes)]
        parts.append(f"It has {counted(len(names), 'attribute')}: {few(names, 30)}.")
    if inherited := ground.codebase.bases(symbol):
        parts.append(f"Derives from {few([_placed(each) for each in inherited])}.")
    if derived := ground.codebase.subclasses(symbol):
        parts.append(f"Subclasses: {few([_placed(each) for each in derived])}.")
    return parts


def _placed(symbol: Symbol) -> str:
    return f"`{symbol.name}` (`{symbol.location}`)"


def _call(symbol: Symbol) -> str:
    """A method's signature without `def` and `self`."""
    text = symbol.signature or symbol.name
    for word in ("async def ", "def "):
        text = text.removeprefix(word)
    return text.replace("(self, ", "(").replace("(self)", "()").replace("(cls, ", "(").replace("(cls)", "()")


def _outside_base(ground: Ground, name: str) -> Finding:
    """Classes that name a base which is not defined here, such as `Exception`."""
    last = name.rpartition(".")[2]
    pattern = rf"^\s*class\s+\w+\s*\([^)]*\b{last}\b" if last.isidentifier() else None
    matches = ground.codebase.search_text(pattern, regex=True, ignore_case=False) if pattern else []
    if not matches:
        return Finding(
            "none",
            f"No class of this repository derives from `{name}`, and no class of that name is defined in it.",
            {"name": name},
        )
    items = [f"`{match.path}:{match.line}`: {code(match.text)}" for match in matches]
    text = f"`{name}` is not defined in this repository; {counted(len(matches), 'class', 'classes')} name it as a base:"
    return Finding(
        counted(len(matches), "class", "classes"), f"{text}\n\n{bullets(items)}", {"name": name, "count": len(matches)}
    )
