"""What Python functions take and say that they return, as it is written."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from contexten.engines.analyst.bodies import Function

if TYPE_CHECKING:
    from contexten.engines.analyst.bodies import Body, Definition


def annotation(body: Body) -> str:
    """What it says it returns; empty when it does not say."""
    return "" if isinstance(body.node, ast.ClassDef) or body.node.returns is None else ast.unparse(body.node.returns)


def parameters(body: Body) -> list[str]:
    """Its parameters as they are written, with annotations and defaults; of a class, those of its `__init__`."""
    node: Definition | None = body.node
    if isinstance(node, ast.ClassDef):
        node = next((each for each in node.body if isinstance(each, Function) and each.name == "__init__"), None)
    if not isinstance(node, Function):
        return []
    return [text for text in _arguments(node.args) if text not in {"self", "cls"}]


def names_of(arguments: ast.arguments) -> list[str]:
    """Names of the parameters, without `self` and `cls`; `*` before those by keyword only."""
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    if arguments.vararg:
        names.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        names.append("*")
    names += [each.arg for each in arguments.kwonlyargs]
    return names + ([f"**{arguments.kwarg.arg}"] if arguments.kwarg else [])


def _arguments(arguments: ast.arguments) -> list[str]:
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    written = [_argument(each, default) for each, default in zip(plain, defaults, strict=True)]
    if arguments.vararg:
        written.append("*" + _argument(arguments.vararg, None))
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    written += [_argument(each, default) + " (keyword only)" for each, default in pairs]
    if arguments.kwarg:
        written.append("**" + _argument(arguments.kwarg, None))
    return written


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    text = argument.arg
    if argument.annotation is not None:
        text += f": {ast.unparse(_plain(argument.annotation))}"
    return text if default is None else f"{text} = {ast.unparse(default)}"


def _plain(annotation: ast.expr) -> ast.expr:
    """The type itself of an `Annotated[type, ...]`."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Annotated"):
        inner = annotation.slice
        return inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else annotation
    return annotation
