"""Whether something is retried: what its body, its decorators and its callers show, and nothing more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst import bodies
from contexten.engines.analyst.descriptions import full_name
from contexten.engines.analyst.markdown import bullets, code, counted

if TYPE_CHECKING:
    from contexten.codebase import Reference, Symbol
    from contexten.engines.analyst.bodies import Body
    from contexten.engines.analyst.repository import Repository

MAX_CALLERS = 40
_RETRY = re.compile(r"retr(?:y|ies|ied|ying)|backoff|tenacity|stamina", re.IGNORECASE)


def retried(repository: Repository, symbol: Symbol, body: Body) -> str:
    """Answer in Markdown, with the lines that show it, or with where it was looked for in vain."""
    shown = bodies.retries(body)
    references = [ref for ref in repository.references(symbol) if ref.kind in {"call", "read"}][:MAX_CALLERS]
    around = [found for reference in references if (found := _around(repository, symbol, reference))]
    if not shown and not around:
        return _no(symbol, body, references)
    said = []
    if shown:
        items = [
            f"`{symbol.path}:{seen.line}`: {code(seen.text)}{f' ({seen.note})' if seen.note else ''}" for seen in shown
        ]
        said.append(f"`{full_name(symbol)}` has signs of a retry in its own code:\n\n{bullets(items)}")
    if around:
        head = "It is retried by" if not shown else "It is also retried by"
        said.append(f"{head} code that calls it:\n\n{bullets(around)}")
    return "\n\n".join(said)


def _around(repository: Repository, symbol: Symbol, reference: Reference) -> str:
    """What repeats a call at the place of the call: a decorator or loop of the caller, or a retry function."""
    if _RETRY.search(_outside_names(reference.text, symbol.name)):
        return f"`{reference.location}`: {code(reference.text)}"
    caller = reference.symbol
    body = repository.body(caller) if caller and caller.kind in {"function", "method"} else None
    seen = bodies.encloses_in_retry(body, reference.line) if body else None
    if caller is None or seen is None:
        return ""
    return f"`{caller.name}` (`{caller.path}:{seen.line}`): {code(seen.text)}, around the call in line {reference.line}"


def _outside_names(text: str, name: str) -> str:
    """The line without the name itself, which may have `retry` in it."""
    return text.replace(name, "")


def _no(symbol: Symbol, body: Body, references: list[Reference]) -> str:
    callers = len({ref.symbol.qualified_name if ref.symbol else ref.path for ref in references})
    looked = f"`{symbol.path}:{body.first_line}-{body.last_line}` has no retry decorator, no retry call and no loop around a `try`"
    if callers:
        looked += f", and {'its caller does not repeat' if callers == 1 else f'none of its {callers} callers repeats'} the call"
    said = f"`{full_name(symbol)}` is not retried: {looked}."
    if caught := bodies.catches(body):
        items = [f"`{symbol.path}:{seen.line}`: {code(seen.text)}" for seen in caught]
        said += f" What fails in it is handled once:\n\n{bullets(items)}"
    elif raised := bodies.raises(body):
        items = [f"`{symbol.path}:{seen.line}`: {code(seen.text)}" for seen in raised]
        said += f" A failure goes to the caller; it raises {counted(len(raised), 'time')} itself:\n\n{bullets(items)}".replace(
            "raises 1 time itself", "raises once itself"
        )
    else:
        said += " A failure goes to the caller at once."
    return said
