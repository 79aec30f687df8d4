"""Whether what was generated can be called as it will be called."""

from __future__ import annotations

import ast
from inspect import Parameter, Signature
from typing import TYPE_CHECKING

from contexten.autogenlib.answer import defined
from contexten.autogenlib.usages import calls_in

if TYPE_CHECKING:
    from contexten.autogenlib.usages import Call

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def misfit(tree: ast.Module, name: str, usage: str) -> str | None:
    """Why a name of a module cannot be called as expressions call it; None when it can, or nobody can tell.

    Args:
        tree: the module.
        name: what is called.
        usage: the expressions, one a line.
    """
    node = next((each for each in tree.body if name in defined(each)), None)
    if isinstance(node, ast.ClassDef):
        return _misfit_of_class(node, calls_in(usage, name))
    if not isinstance(node, _Function) or node.decorator_list:
        return None
    signature = _signature(node.args)
    for call in calls_in(usage, name):
        problem = _unbound(signature, call) or _wrongly_awaited(node, call)
        if problem:
            return f"{name} is used as {call.text}, but {problem}"
    return None


def _misfit_of_class(node: ast.ClassDef, calls: list[Call]) -> str | None:
    starts = [each for each in node.body if isinstance(each, _Function) and each.name == "__init__"]
    if not starts or node.decorator_list or node.keywords or starts[0].decorator_list:
        return None
    signature = _signature(starts[0].args, without_self=True)
    problems = ((call, _unbound(signature, call)) for call in calls)
    return next((f"{node.name} is used as {call.text}, but {problem}" for call, problem in problems if problem), None)


def _signature(args: ast.arguments, *, without_self: bool = False) -> Signature:
    plain = [*args.posonlyargs, *args.args]
    first_default = len(plain) - len(args.defaults)
    parameters = [
        Parameter(
            each.arg,
            Parameter.POSITIONAL_ONLY if place < len(args.posonlyargs) else Parameter.POSITIONAL_OR_KEYWORD,
            default=Parameter.empty if place < first_default else None,
        )
        for place, each in enumerate(plain)
    ]
    if args.vararg:
        parameters.append(Parameter(args.vararg.arg, Parameter.VAR_POSITIONAL))
    for each, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        parameters.append(
            Parameter(each.arg, Parameter.KEYWORD_ONLY, default=Parameter.empty if default is None else None)
        )
    if args.kwarg:
        parameters.append(Parameter(args.kwarg.arg, Parameter.VAR_KEYWORD))
    return Signature(parameters[1:] if without_self else parameters)


def _unbound(signature: Signature, call: Call) -> str | None:
    bind = signature.bind_partial if call.open else signature.bind
    try:
        bind(*[None] * call.positional, **dict.fromkeys(call.keywords))
    except TypeError as error:
        return str(error)
    return None


def _wrongly_awaited(node: _Function, call: Call) -> str | None:
    if call.awaited and not isinstance(node, ast.AsyncFunctionDef):
        return "it is no async def"
    return None
