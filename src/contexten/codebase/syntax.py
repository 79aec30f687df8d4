"""Syntax trees, one at a time in a process.

CPython 3.11 keeps the depth of the tree that is being built for the whole interpreter, so a thread that parses while
another does fails now and then with a SystemError. Here threads wait for each other; a parse somewhere else in the
program can still come between, and then it is tried again.
"""

from __future__ import annotations

import ast
import threading
import warnings
from typing import Any, Literal, cast, overload

_TRIES = 5
_one_at_a_time = threading.Lock()


@overload
def parse(source: str | bytes, mode: Literal["exec"] = "exec") -> ast.Module: ...
@overload
def parse(source: str | bytes, mode: Literal["eval"]) -> ast.Expression: ...
def parse(source: str | bytes, mode: Literal["exec", "eval"] = "exec") -> ast.Module | ast.Expression:
    """The tree of a source, as `ast.parse` makes it, without warnings about what is in the source.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the source has no tree.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(_TRIES):
            try:
                tree: Any = ast.parse(source, mode=mode)
            except SystemError:
                continue
            return cast("ast.Module | ast.Expression", tree)
    raise RecursionError("the syntax tree could not be built while other threads of this program build theirs")
