"""Read a definition's body for one aspect: what it raises, returns, takes, logs; whether it is retried, cached, asynchronous."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from contexten.engines.analyst import bodies
from contexten.engines.analyst.descriptions import entry, span
from contexten.engines.analyst.markdown import block, bullets, code, counted, joined
from contexten.engines.analyst.parameters import annotation, parameters
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.retries import retried

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.codebase import Symbol
    from contexten.engines.analyst.bodies import Body, Seen
    from contexten.engines.analyst.repository import Repository

MAX_SYMBOLS = 3
_WORDS = {
    "catches": ("catches", "has no `except` clause, so it catches nothing itself"),
    "cached": ("shows caching at", "shows no cache: no cache decorator, no name with `cache`, no attribute that is filled once"),
    "logs": ("logs or prints at", "neither logs nor prints"),
    "timeout": ("names a timeout at", "names no timeout"),
    "locks": ("has to do with threads or locks at", "has no lock that its name tells, and its documentation says nothing of threads, so I cannot tell whether it is safe"),
    "deprecated": ("speaks of a deprecation at", "says nothing of a deprecation"),
    "decorators": ("is decorated with", "has no decorators"),
}  # fmt: skip


def read(repository: Repository, name: str, aspect: str) -> Finding:
    """What a definition's source shows of one aspect; only what is written there."""
    symbols = repository.find(name).symbols[:MAX_SYMBOLS]
    if not symbols:
        return Finding(
            "not a definition", f"`{name}` is not a function, class or variable, so there is no body to read."
        )
    answers = [_aspect(repository, symbol, aspect) for symbol in symbols]
    spans = ", ".join(span(symbol) for symbol in symbols)
    data = {"name": name, "aspect": aspect, "read": [entry(symbol) for symbol in symbols]}
    return Finding(spans, "\n\n".join(answers), data)


def seen_items(symbol: Symbol, found: list[Seen], *, notes: bool = False) -> str:
    """Lines of a body as a list."""
    items = []
    for seen in found:
        note = f" ({code(seen.note)})" if notes and seen.note and seen.note not in seen.text else ""
        items.append(f"`{symbol.path}:{seen.line}`{note}: {code(seen.text)}")
    return bullets(items)


def _aspect(repository: Repository, symbol: Symbol, aspect: str) -> str:
    if aspect in {"value", "docstring"}:
        return _value(repository, symbol) if aspect == "value" else _docstring(symbol)
    body = repository.body(symbol)
    if body is None:
        return _unparsed(repository, symbol, aspect)
    special = _SPECIAL.get(aspect)
    return special(repository, symbol, body) if special else _listed(symbol, body, aspect)


def _listed(symbol: Symbol, body: Body, aspect: str) -> str:
    found = bodies.LISTED[aspect](body)
    present, absent = _WORDS[aspect]
    if not found:
        return f"`{symbol.name}` {absent} (`{span(symbol)}`)."
    return f"`{symbol.name}` {present}:\n\n{seen_items(symbol, found, notes=True)}"


def _raises(repository: Repository, symbol: Symbol, body: Body) -> str:
    found = bodies.raises(body)
    names = list(dict.fromkeys(seen.note for seen in found if seen.note))
    again = any(not seen.note for seen in found)
    said = [f"`{symbol.name}` has no `raise` statement of its own (`{span(symbol)}`)."]
    if found:
        what = joined([code(name) for name in names]) if names else "what it caught"
        what += " and again what it caught" if names and again else ""
        said = [f"`{symbol.name}` raises {what}:\n\n{seen_items(symbol, found)}"]
    if passed := _raised_below(repository, symbol):
        said.append(f"What it calls raises too, unless it is caught here:\n\n{bullets(passed)}")
    if caught := bodies.catches(body):
        said.append(f"It catches:\n\n{seen_items(symbol, caught)}")
    return "\n\n".join(said)


def _raised_below(repository: Repository, symbol: Symbol) -> list[str]:
    """What the functions of this repository that it calls raise themselves."""
    targets = {ref.target.qualified_name: ref.target for ref in repository.codebase.callees(symbol) if ref.target}
    items = []
    for target in targets.values():
        inner = repository.body(target) if target.kind in {"function", "method"} else None
        names = list(dict.fromkeys(seen.note for seen in bodies.raises(inner) if seen.note)) if inner else []
        if names:
            items.append(f"`{target.name}` (`{target.location}`): {joined([code(name) for name in names])}")
    return items


def _returns(repository: Repository, symbol: Symbol, body: Body) -> str:
    del repository
    if symbol.kind == "class":
        return f"`{symbol.name}` is a class: calling it gives an instance of it."
    found, stated = bodies.returns(body), annotation(body)
    said = (
        f"`{symbol.name}` is declared to return {code(stated)}."
        if stated
        else f"`{symbol.name}` declares no return type."
    )
    if not found:
        return f"{said} It has no `return` with a value, so it returns `None`."
    return f"{said} It returns at:\n\n{seen_items(symbol, found)}"


def _parameters(repository: Repository, symbol: Symbol, body: Body) -> str:
    found = parameters(body)
    if not found and symbol.kind == "class":
        fields = [each for each in repository.codebase.members(symbol) if each.kind == "attribute"]
        lines = repository.text(symbol.path).splitlines()
        items = [
            f"`{each.location}`: {code(lines[each.line - 1].strip())}" for each in fields if each.line <= len(lines)
        ]
        return (
            f"`{symbol.name}` has no `__init__` of its own. Its attributes:\n\n{bullets(items)}"
            if items
            else (f"`{symbol.name}` has no `__init__` of its own.")
        )
    if not found:
        return f"`{symbol.name}` takes no parameters (`{symbol.location}`)."
    return f"`{symbol.name}` (`{symbol.location}`) takes:\n\n{bullets([_parameter(each) for each in found])}"


def _parameter(text: str) -> str:
    written, by_keyword, _ = text.partition(" (keyword only)")
    return code(written) + by_keyword


def _async(repository: Repository, symbol: Symbol, body: Body) -> str:
    del repository
    waits = bodies.awaits(body)
    if body.is_async:
        return f"Yes: `{symbol.name}` is an `async def` (`{symbol.location}`), with {counted(len(waits), 'line')} that await."
    if symbol.kind == "class":
        text = f"`{symbol.name}` is a class; {counted(len(waits), 'line')} of it await."
        return text + (f"\n\n{seen_items(symbol, waits)}" if waits else "")
    return f"No: `{symbol.name}` is a plain `def` (`{symbol.location}`); calling it blocks until it is done."


def _retry(repository: Repository, symbol: Symbol, body: Body) -> str:
    return retried(repository, symbol, body)


def _value(repository: Repository, symbol: Symbol) -> str:
    lines = repository.text(symbol.path).splitlines()
    body = repository.body(symbol)
    if body is not None and symbol.kind != "class":
        defaults = [text for text in parameters(body) if " = " in text]
        if not defaults:
            return f"`{symbol.name}` has no parameters with a default (`{symbol.location}`)."
        return f"Defaults of `{symbol.name}` (`{symbol.location}`):\n\n{bullets([code(each) for each in defaults])}"
    last = min(max(symbol.end_line, symbol.line), symbol.line + 20)
    text = block(textwrap.dedent("\n".join(lines[symbol.line - 1 : last])), repository.language(symbol.path))
    said = [f"`{symbol.location}` defines it:\n\n{text}"]
    writes = repository.references(symbol, ("write",))
    items = [f"`{ref.location}`: {code(ref.text)}" for ref in writes] + _given(repository, symbol)
    if items:
        said.append(f"It is set at:\n\n{bullets(items)}")
    return "\n\n".join(said)


def _given(repository: Repository, symbol: Symbol) -> list[str]:
    """The parameter of the class's `__init__` that has an attribute's name."""
    starts = [each for each in repository.codebase.symbols(f"{symbol.parent}.__init__") if symbol.parent]
    found = []
    for start in starts:
        body = repository.body(start)
        given = [text for text in parameters(body) if re.match(rf"{symbol.name}\b", text)] if body else []
        found += [f"`{start.location}`: parameter {code(text)}" for text in given]
    return found


def _docstring(symbol: Symbol) -> str:
    if not symbol.docstring:
        return f"`{symbol.name}` has no docstring (`{symbol.location}`)."
    return f"The docstring of `{symbol.name}` (`{symbol.location}`):\n\n{block(symbol.docstring.strip(), 'text')}"


def _unparsed(repository: Repository, symbol: Symbol, aspect: str) -> str:
    """For what is not a Python function or class: its lines that name the aspect."""
    needle = {"retry": "retr", "raises": "throw", "catches": "catch", "returns": "return", "logs": "log"}.get(
        aspect, aspect
    )
    lines = repository.text(symbol.path).splitlines()
    inside = range(symbol.line, max(symbol.end_line, symbol.line) + 1)
    found = [
        bodies.Seen(line, lines[line - 1].strip())
        for line in inside
        if line <= len(lines) and needle in lines[line - 1].lower()
    ]
    if not found:
        return f"No line of `{symbol.name}` (`{span(symbol)}`) has the word `{needle}`; more than that I cannot tell of it."
    return f"Lines of `{symbol.name}` with the word `{needle}`:\n\n{seen_items(symbol, found)}"


_SPECIAL: dict[str, Callable[[Repository, Symbol, Body], str]] = {
    "raises": _raises,
    "returns": _returns,
    "parameters": _parameters,
    "async": _async,
    "retry": _retry,
}
