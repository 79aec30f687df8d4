"""What a reader sees of a definition without its body: signature, docstring, the types that its annotations name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from contexten.codebase.record import UNKNOWN
from contexten.codebase.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_SIGNATURE = 1000
_WRAPPERS = frozenset({"Optional", "Annotated", "ClassVar", "Final", "InitVar", "Required", "NotRequired", "ReadOnly"})
_CLASS_OF = frozenset({"type", "Type"})

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def signature_of(node: Definition, source: Sequence[bytes]) -> str:
    """The text from `def` or `class` up to the colon, on one line."""
    text = _header(node, source)
    if text is None or "#" in text or len(text) > _MAX_SIGNATURE:
        text = _unparsed(node)
    return text if len(text) <= _MAX_SIGNATURE else f"{text[:_MAX_SIGNATURE]}…"


def docstring_of(body: Sequence[ast.stmt]) -> str:
    """The docstring with its indentation taken off, as `inspect.cleandoc` does."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return _cleaned(first.value.value)
    return ""


def annotation_chain(node: ast.expr | None) -> str:
    """The chain of an instance of the class that an annotation names; unknown for unions, containers and the like."""
    if node is None:
        return UNKNOWN
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return annotation_chain(parsed_annotation(node.value))
    if isinstance(node, ast.BinOp):
        sides = [
            side for side in (node.left, node.right) if not (isinstance(side, ast.Constant) and side.value is None)
        ]
        return annotation_chain(sides[0]) if len(sides) == 1 else UNKNOWN
    if isinstance(node, ast.Subscript):
        return _subscript_chain(node)
    name = dotted(node)
    return f"{name}()" if name else UNKNOWN


def parsed_annotation(text: str) -> ast.expr | None:
    """The expression in a quoted annotation, or None when it is not one."""
    try:
        return parse(text.strip(), "eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def dotted(node: ast.expr) -> str:
    """`a.b.c` for such an expression, else an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))


def _subscript_chain(node: ast.Subscript) -> str:
    name = dotted(node.value)
    last = name.rpartition(".")[2]
    if last in _CLASS_OF:
        return annotation_chain(node.slice).removesuffix("()")
    if last in _WRAPPERS:
        inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        return annotation_chain(inner)
    return f"{name}()" if name else UNKNOWN


def _header(node: Definition, source: Sequence[bytes]) -> str | None:
    last = node.body[0]
    stop = min([last.lineno, *(each.lineno for each in getattr(last, "decorator_list", ()))])
    if stop == node.lineno:
        text = source[node.lineno - 1][node.col_offset : last.col_offset].decode("utf-8", "replace")
    else:
        lines = [source[node.lineno - 1][node.col_offset :], *source[node.lineno : stop - 1]]
        text = b" ".join(line.strip() for line in lines).decode("utf-8", "replace")
    text = text.strip()
    if not text.endswith(":"):
        return None
    return text[:-1].rstrip().replace("( ", "(").replace(", )", ")").replace(",)", ")").replace(" )", ")")


def _unparsed(node: Definition) -> str:
    if isinstance(node, ast.ClassDef):
        inner = ", ".join(ast.unparse(each) for each in (*node.bases, *node.keywords))
        return f"class {node.name}({inner})" if inner else f"class {node.name}"
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{word} {node.name}({ast.unparse(node.args)}){returns}"


def _cleaned(text: str) -> str:
    first, *rest = text.expandtabs().strip().splitlines() or [""]
    margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    return "\n".join([first, *(line[margin:].rstrip() for line in rest)]).strip()
