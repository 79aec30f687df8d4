"""What a model answered, as one Python module and nothing else; and a module's source with more added to it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 200_000
"""Characters of generated code at most."""
_FENCE = re.compile(r"^(`{3,})[ \t]*([\w+-]*)[^\n]*\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)


class AnswerError(Exception):
    """The answer is not what was asked for; the text tells the model what is wrong."""


def module_of(answer: str | None) -> str:
    """The one module in an answer: its only fenced block of Python, or all of it.

    Raises:
        AnswerError: there is none, there are several, or it is not Python.
    """
    if not answer or not answer.strip():
        raise AnswerError("The answer is empty.")
    blocks = [
        body for _, language, body in _FENCE.findall(answer) if language.lower() in {"", "python", "py", "python3"}
    ]
    if len(blocks) > 1:
        raise AnswerError(f"The answer has {len(blocks)} blocks of code: put all of the code into one.")
    if not blocks and "```" in answer:
        raise AnswerError("The answer has no complete ```python block.")
    code = (blocks[0] if blocks else answer).replace("\r\n", "\n").strip("\n") + "\n"
    if len(code) > LARGEST:
        raise AnswerError(f"The code has {len(code)} characters; {LARGEST} are the most.")
    parsed(code)
    return code


def parsed(code: str) -> ast.Module:
    """The syntax tree of code.

    Raises:
        AnswerError: it is not Python.
    """
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise AnswerError(f"The code is not Python: line {error.lineno}: {error.msg}.") from error
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte, a tree too deep
        raise AnswerError(f"The code is not Python: {error}.") from error


def merged(old: str, new: str) -> str:
    """A module's source with new code added: not a letter of the old is changed, new imports stand with the others.

    Raises:
        AnswerError: the new code defines something anew that is there.
    """
    if not old.strip():
        return new
    before, after = parsed(old), parsed(new)
    known = {ast.dump(node) for node in before.body}
    taken = {name: what for node in before.body for name, what in _meanings(node)}
    imports: list[str] = []
    rest: list[str] = []
    for node in after.body:
        if ast.dump(node) in known or _is_docstring(node, after) or "__all__" in defined(node):
            continue
        if again := sorted(name for name, what in _meanings(node) if taken.get(name, what) != what):
            raise AnswerError(f"{again[0]} is defined already: use it as it is and give only what is new.")
        (imports if isinstance(node, ast.Import | ast.ImportFrom) else rest).append(_text(new, node))
    future = [line for line in imports if line.startswith("from __future__")]
    return _joined(old, before, future, [line for line in imports if line not in future], rest)


def defined(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a module gives a value."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) and node.value is not None else []
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [each.asname or each.name.partition(".")[0] for each in node.names]
    if node.__class__.__name__ == "TypeAlias":
        return [getattr(node, "name").id]  # noqa: B009 - Python 3.12 and later alone has it
    return []


def _meanings(node: ast.stmt) -> list[tuple[str, str]]:
    """The names that a statement defines, each with what it stands for."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        source = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        whole = [
            (each, source + each.name if source or each.asname else each.name.partition(".")[0]) for each in node.names
        ]
        return [(each.asname or each.name.partition(".")[0], target) for each, target in whole]
    return [(name, ast.dump(node)) for name in defined(node)]


def _is_docstring(node: ast.stmt, module: ast.Module) -> bool:
    return node is module.body[0] and ast.get_docstring(module) is not None


def _joined(old: str, module: ast.Module, future: list[str], imports: list[str], rest: list[str]) -> str:
    lines = old.rstrip("\n").split("\n")
    front = _end(module, lambda node: isinstance(node, ast.ImportFrom) and node.module == "__future__")
    top = _end(module, lambda node: isinstance(node, ast.Import | ast.ImportFrom))
    head = _followed(lines[:front], future)
    head = _followed([*head, *lines[front:top]], imports, apart=top == front)
    body = "\n".join(lines[top:]).strip("\n")
    return "\n\n\n".join(part for part in ("\n".join(head), body, *rest) if part) + "\n"


def _followed(lines: list[str], more: list[str], *, apart: bool = True) -> list[str]:
    return [*lines, *([""] if apart and lines and more else []), *more]


def _end(module: ast.Module, belongs: Callable[[ast.stmt], bool]) -> int:
    """The last line of a module's docstring and of those first statements that belong to it."""
    end = 0
    for node in module.body:
        if not belongs(node) and not _is_docstring(node, module):
            break
        end = node.end_lineno or end
    return end


def _text(source: str, node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    if not decorators:
        return ast.get_source_segment(source, node) or ""
    return "\n".join(source.split("\n")[decorators[0].lineno - 1 : node.end_lineno])
