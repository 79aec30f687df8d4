"""What the body of a Python function or class shows: where it raises, retries, returns, logs, waits and locks."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contexten.codebase import syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_RETRY = re.compile(r"retr(?:y|ies|ied|ying)|backoff|tenacity|stamina", re.IGNORECASE)
_CACHE = re.compile(r"cache|memoi[sz]e", re.IGNORECASE)
_KEPT = re.compile(r"hasattr\(self, |if (?:not )?self\._\w+(?: is (?:not )?None)?:")
_LOG = re.compile(
    r"^(?:\w+\.)*(?:log|logger|logging|_log|_logger|LOG|LOGGER)\.\w+$|^print$|^(?:warnings\.)?warn$|^click\.echo$|^typer\.echo$"
)
_LOCK = re.compile(r"lock|mutex|semaphore", re.IGNORECASE)
_THREADS = re.compile(r"thread|concurren", re.IGNORECASE)
_TIMEOUT = re.compile(r"time_?out|deadline|fail_after|move_on_after|wait_for", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of a body that shows something."""

    line: int
    text: str
    """The line of source."""
    note: str = ""
    """What it shows, in words: an exception's name, the method it stands in."""


@dataclass(frozen=True, slots=True)
class Body:
    """One definition of a file, parsed."""

    node: Definition
    lines: Sequence[str]
    """All lines of the file."""

    def seen(self, node: ast.AST, note: str = "") -> Seen:
        """The line at which a part of the body begins."""
        number = getattr(node, "lineno", 1)
        return Seen(number, self.lines[number - 1].strip() if number <= len(self.lines) else "", note)

    @property
    def first_line(self) -> int:
        """Line at which it begins, its decorators included."""
        return min(each.lineno for each in (self.node, *self.node.decorator_list))

    @property
    def last_line(self) -> int:
        """Line at which it ends."""
        return self.node.end_lineno or self.node.lineno

    @property
    def is_async(self) -> bool:
        """Whether it is an `async def`."""
        return isinstance(self.node, ast.AsyncFunctionDef)


def parse(source: str) -> dict[int, Body]:
    """The functions and classes of a file by the line of their `def` or `class`; none when it is not sound Python."""
    try:
        tree = syntax.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    lines = source.splitlines()
    return {node.lineno: Body(node, lines) for node in ast.walk(tree) if isinstance(node, Definition)}


def raises(body: Body) -> list[Seen]:
    """Its `raise` statements; the note is the exception's name, empty where one is raised again."""
    found = [node for node in ast.walk(body.node) if isinstance(node, ast.Raise)]
    found.sort(key=lambda node: node.lineno)
    return [body.seen(node, _exception(node.exc)) for node in found]


def catches(body: Body) -> list[Seen]:
    """Its `except` clauses; the note is what they catch."""
    found = [node for node in ast.walk(body.node) if isinstance(node, ast.ExceptHandler)]
    found.sort(key=lambda node: node.lineno)
    return [body.seen(node, ast.unparse(node.type) if node.type else "everything") for node in found]


def returns(body: Body) -> list[Seen]:
    """Its own `return` and `yield` statements that give something back; not those of functions inside it."""
    found = [
        node for node in _own(body.node) if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value
    ]
    return [body.seen(node) for node in found]


def decorators(body: Body) -> list[Seen]:
    """Its decorators, and in a class those of its methods."""
    found = [
        (node, each) for node in ast.walk(body.node) if isinstance(node, Definition) for each in node.decorator_list
    ]
    return [body.seen(each, node.name if node is not body.node else "") for node, each in found]


def retries(body: Body) -> list[Seen]:
    """What shows that it repeats something that failed: retry decorators and calls, loops around a `try`."""
    found = [seen for seen in decorators(body) if _RETRY.search(seen.text)]
    for node in ast.walk(body.node):
        if isinstance(node, ast.Call) and _RETRY.search(_called(node)):
            found.append(body.seen(node, "a retry call"))
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While) and _repeats(node):
            found.append(body.seen(node, "a loop around a `try`"))
    return _each_line_once(found)


def encloses_in_retry(body: Body, line: int) -> Seen | None:
    """The loop around a `try`, or the retry block, in which a line of the file stands."""
    for node in ast.walk(body.node):
        around = isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
        if (
            around
            and isinstance(node, ast.For | ast.AsyncFor | ast.While)
            and (_repeats(node) or _RETRY.search(_head(node)))
        ):
            return body.seen(node)
        if around and isinstance(node, ast.With | ast.AsyncWith) and _RETRY.search(_head(node)):
            return body.seen(node)
    return next((seen for seen in decorators(body) if _RETRY.search(seen.text)), None)


def logs(body: Body) -> list[Seen]:
    """Its calls that log, print or warn."""
    return _calls(body, _LOG)


def caches(body: Body) -> list[Seen]:
    """Its cache decorators, the lines that name a cache, and those that see whether an attribute was filled before."""
    lines = range(body.first_line, body.last_line + 1)
    kept = [Seen(line, body.lines[line - 1].strip()) for line in lines if _KEPT.search(body.lines[line - 1])]
    found = [seen for seen in decorators(body) if _CACHE.search(seen.text)] + _named(body, _CACHE) + kept
    return _each_line_once(found)


def timeouts(body: Body) -> list[Seen]:
    """Lines that name a timeout or a deadline."""
    return _each_line_once(_named(body, _TIMEOUT))


def locks(body: Body) -> list[Seen]:
    """Lines that name a lock or a semaphore, and what its docstrings say of threads."""
    lines = _in_docstrings(body)
    said = [Seen(line, body.lines[line - 1].strip()) for line in lines if _THREADS.search(body.lines[line - 1])]
    return _each_line_once(_named(body, _LOCK) + said)


def deprecations(body: Body) -> list[Seen]:
    """Lines that name a deprecation, in decorators, warnings or the docstring."""
    pattern = re.compile("deprecat", re.IGNORECASE)
    lines = range(body.first_line, body.last_line + 1)
    return [Seen(line, body.lines[line - 1].strip()) for line in lines if pattern.search(body.lines[line - 1])]


def called(body: Body) -> list[str]:
    """What it calls, as it is written, each once, in order."""
    found = [node for node in ast.walk(body.node) if isinstance(node, ast.Call)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(name for node in found if re.fullmatch(r"[\w.]+", name := _called(node))))


def awaits(body: Body) -> list[Seen]:
    """Its `await`, `async for` and `async with`."""
    found = [node for node in ast.walk(body.node) if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)]
    return _each_line_once([body.seen(node) for node in found])


def _own(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition | ast.Lambda):
            yield child
            yield from _own(child)


def _exception(node: ast.expr | None) -> str:
    if node is None or (isinstance(node, ast.Name) and node.id.islower()):
        return ""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def _called(node: ast.Call) -> str:
    try:
        return ast.unparse(node.func)
    except RecursionError:
        return ""


def _head(node: ast.stmt) -> str:
    """The first line of a compound statement."""
    return ast.unparse(node).partition("\n")[0]


def _repeats(loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Whether a loop goes on after a failure: a `try` inside it whose handler neither raises, returns nor breaks at its end."""
    tries = [node for node in _own(loop) if isinstance(node, ast.Try)]
    handlers = [handler for each in tries for handler in each.handlers]
    leaving = (ast.Raise, ast.Return, ast.Break)
    counted = isinstance(loop, ast.While) or bool(re.search(r"range\(|attempt|tries|retries", _head(loop)))
    return counted and any(not isinstance(handler.body[-1], leaving) for handler in handlers)


def _calls(body: Body, pattern: re.Pattern[str]) -> list[Seen]:
    found = [node for node in ast.walk(body.node) if isinstance(node, ast.Call) and pattern.search(_called(node))]
    return _each_line_once([body.seen(node) for node in found])


def _in_docstrings(body: Body) -> list[int]:
    """The lines of the docstrings of a definition and of those inside it."""
    inside = (node for node in ast.walk(body.node) if isinstance(node, Definition) and ast.get_docstring(node))
    return [line for node in inside for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)]


def _named(body: Body, pattern: re.Pattern[str]) -> list[Seen]:
    found: list[Seen] = []
    for node in ast.walk(body.node):
        name = _name_in(node)
        if name and pattern.search(name):
            found.append(body.seen(node))
    return found


def _name_in(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.arg | ast.keyword):
        return node.arg or ""
    return ""


def _each_line_once(found: list[Seen]) -> list[Seen]:
    by_line: dict[int, Seen] = {}
    for seen in found:
        by_line.setdefault(seen.line, seen)
    return [by_line[line] for line in sorted(by_line)]


LISTED: dict[str, Callable[[Body], list[Seen]]] = {
    "catches": catches,
    "cached": caches,
    "logs": logs,
    "timeout": timeouts,
    "locks": locks,
    "deprecated": deprecations,
    "decorators": decorators,
}
"""Aspects that are answered by the lines that show them."""
