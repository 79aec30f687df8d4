"""Executing only what is new of a source, while what was executed before keeps its identity and finds its lines again."""

from __future__ import annotations

import ast
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def shifted(namespace: dict[str, Any], before: Sequence[str], after: Sequence[str], path: str) -> CodeType:
    """The code of those statements that a module does not have yet.

    Args:
        namespace: the module's. Its functions are told where their lines are now.
        before: lines of the source that was executed.
        after: lines of the whole source.
        path: its file.
    """
    old, new = ast.parse("\n".join(before)), ast.parse("\n".join(after))
    known: dict[str, list[int]] = {}
    for node in old.body:
        known.setdefault(ast.dump(node), []).append(_start(node))
    fresh, moves = [], {}
    for node in new.body:
        at = known.get(ast.dump(node))
        if at:
            moves[at.pop(0)] = _start(node)
        else:
            fresh.append(node)
    _move(namespace, path, moves, [_start(node) for node in old.body])
    return compile(ast.Module(fresh, []), path, "exec", dont_inherit=True)


def _move(namespace: dict[str, Any], path: str, moves: dict[int, int], starts: list[int]) -> None:
    """Tell functions and classes of a file where their lines are: each moves as the statement does that it is part of."""

    def by(line: int) -> int:
        within = max((start for start in starts if start <= line), default=0)
        return moves.get(within, within) - within

    found = {id(each): each for value in [*namespace.values()] for each in _parts(value)}
    for part in found.values():
        if isinstance(part, type):
            line = vars(part).get("__firstlineno__")  # since Python 3.13
            if part.__module__ == namespace.get("__name__") and isinstance(line, int) and by(line):
                type.__setattr__(part, "__firstlineno__", line + by(line))
        elif part.__code__.co_filename == path and by(part.__code__.co_firstlineno):
            part.__code__ = _moved(part.__code__, by(part.__code__.co_firstlineno))


def _start(node: ast.stmt) -> int:
    """A statement's first line, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(node.lineno, *(each.lineno for each in decorators)) if decorators else node.lineno


def _parts(value: object, depth: int = 0) -> Iterator[FunctionType | type]:
    """The functions and classes that a value is made of."""
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, FunctionType):
        yield value
    if isinstance(value, property):
        yield from (each for each in (value.fget, value.fset, value.fdel) if isinstance(each, FunctionType))
    if isinstance(value, type) and depth < 4:  # noqa: PLR2004 - classes within classes, seldom more than two
        yield value
        for each in vars(value).values():
            yield from _parts(each, depth + 1)
    wrapped = getattr(value, "__wrapped__", None)
    if wrapped is not None and wrapped is not value and depth < 4:  # noqa: PLR2004 - see above
        yield from _parts(wrapped, depth + 1)


def _moved(code: CodeType, by: int) -> CodeType:
    inner = tuple(_moved(each, by) if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_firstlineno=code.co_firstlineno + by, co_consts=inner)
