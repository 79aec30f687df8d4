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
        known.setdefault(ast.dump(node), []).append(node.lineno)
    fresh, moves = [], {}
    for node in new.body:
        at = known.get(ast.dump(node))
        if at:
            moves[at.pop(0)] = node.lineno
        else:
            fresh.append(node)
    _move(namespace, path, moves, [node.lineno for node in old.body])
    return compile(ast.Module(fresh, []), path, "exec", dont_inherit=True)


def _move(namespace: dict[str, Any], path: str, moves: dict[int, int], starts: list[int]) -> None:
    """Tell functions of a file where their lines are: each moves as the statement does that it is part of."""
    for function in {id(each): each for value in [*namespace.values()] for each in _functions(value)}.values():
        code = function.__code__
        within = max((start for start in starts if start <= code.co_firstlineno), default=None)
        if code.co_filename == path and within is not None and moves.get(within, within) != within:
            function.__code__ = _moved(code, moves[within] - within)


def _functions(value: object, depth: int = 0) -> Iterator[FunctionType]:
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, FunctionType):
        yield value
    if isinstance(value, property):
        yield from (each for each in (value.fget, value.fset, value.fdel) if isinstance(each, FunctionType))
    if isinstance(value, type) and depth < 4:  # noqa: PLR2004 - classes within classes, seldom more than two
        for each in vars(value).values():
            yield from _functions(each, depth + 1)
    wrapped = getattr(value, "__wrapped__", None)
    if wrapped is not None and wrapped is not value and depth < 4:  # noqa: PLR2004 - see above
        yield from _functions(wrapped, depth + 1)


def _moved(code: CodeType, by: int) -> CodeType:
    inner = tuple(_moved(each, by) if isinstance(each, CodeType) else each for each in code.co_consts)
    return code.replace(co_firstlineno=code.co_firstlineno + by, co_consts=inner)
