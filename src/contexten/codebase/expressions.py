"""The uses of names in Python expressions, and the chain that says what an expression stands for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from contexten.codebase.headers import dotted, parsed_annotation
from contexten.codebase.record import ANNOTATION, CALL, READ, UNKNOWN, WRITE
from contexten.codebase.scopes import Scope, Uses

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINKS = (ast.Attribute, ast.Call, ast.Await)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MAX_STEPS = 12


def _child_fields() -> dict[type[ast.AST], tuple[str, ...]]:
    silent = {
        "ctx",
        "op",
        "ops",
        "kind",
        "conversion",
        "attr",
        "id",
        "arg",
        "name",
        "lineno",
        "type_comment",
        "is_async",
    }
    kinds = [value for value in vars(ast).values() if isinstance(value, type) and issubclass(value, ast.AST)]
    return {kind: tuple(name for name in kind._fields if name not in silent) for kind in kinds}


_FIELDS = _child_fields()


class Expressions:
    """Walks expressions and notes each use in the current scope."""

    def __init__(self) -> None:
        self.scope = Scope(None, -1)
        self.final: Uses = {}

    def use(self, chain: str, line: int, column: int, kind: int) -> None:
        """Note one use of a chain by the current scope's owner."""
        scope = self.scope
        places = scope.uses.get(chain)
        if places is None:
            scope.uses[chain] = [line, column, (scope.owner + 1) * 16 + kind]
        else:
            places += (line, column, (scope.owner + 1) * 16 + kind)

    def visit(self, node: ast.expr | None, kind: int = READ) -> str:
        """Note the uses in an expression; `kind` is that of the outermost name. Gives back the chain of its value."""
        if node is None:
            return UNKNOWN
        stack: list[Any] = []
        chain = UNKNOWN
        if isinstance(node, ast.Name):
            chain = node.id
            self.use(chain, node.lineno, node.col_offset, kind)
        elif isinstance(node, _LINKS):
            chain = self.link(node, kind, stack)
        else:
            stack.append(node)
        self.walk(stack)
        return chain

    def walk(self, stack: list[Any]) -> None:
        """Note the uses in everything on the stack."""
        push, pop, use = stack.append, stack.pop, self.use
        name, constant, fields = ast.Name, ast.Constant, _FIELDS
        while stack:
            node = pop()
            kind = node.__class__
            if kind is constant:
                continue
            if kind is name:
                use(node.id, node.lineno, node.col_offset, READ)
            elif kind in _SPECIAL:
                _SPECIAL[kind](self, node, stack)
            else:
                for field in fields[kind]:
                    value = getattr(node, field)
                    if value.__class__ is list:
                        stack.extend(each for each in value if each is not None)
                    elif value is not None:
                        push(value)

    def link(self, node: Any, kind: int, stack: list[Any]) -> str:
        """Note the uses along `a.b().c`; gives back its chain. What stands in parentheses goes on the stack."""
        if node.__class__ is ast.Attribute and node.value.__class__ is ast.Name:
            return self.plain_attribute(node, kind)
        if node.__class__ is ast.Call:
            stack.extend(node.args)
            stack.extend([each.value for each in node.keywords])
            if node.func.__class__ is ast.Name:
                self.use(node.func.id, node.func.lineno, node.func.col_offset, CALL)
                return f"{node.func.id}()"
            if node.func.__class__ is ast.Attribute and node.func.value.__class__ is ast.Name:
                return f"{self.plain_attribute(node.func, CALL)}()"
        return self.long_link(node, kind, stack)

    def plain_attribute(self, node: Any, kind: int) -> str:
        """Note the two uses in `a.b`."""
        name = node.value
        self.use(name.id, name.lineno, name.col_offset, READ)
        chain = f"{name.id}.{node.attr}"
        length = len(node.attr) if node.attr.isascii() else len(node.attr.encode())
        self.use(chain, node.end_lineno, node.end_col_offset - length, kind)
        return chain

    def long_link(self, node: Any, kind: int, stack: list[Any]) -> str:
        """The same for a chain of any length; the arguments of an outermost call are on the stack already."""
        links: list[ast.Attribute | ast.Call | ast.Await] = []
        outermost = node
        while isinstance(node, _LINKS):
            links.append(node)
            if isinstance(node, ast.Call):
                if node is not outermost:
                    stack.extend(node.args)
                    stack.extend([each.value for each in node.keywords])
                node = node.func
            else:
                node = node.value
        links.reverse()
        called = [isinstance(each, ast.Call) for each in links]
        called.append(False)
        if isinstance(node, ast.Name):
            chain = node.id
            inner = CALL if called[0] else READ
            self.use(chain, node.lineno, node.col_offset, inner)
        else:
            chain = UNKNOWN
            stack.append(node)
        last = len(links) - 1
        for index, each in enumerate(links):
            if isinstance(each, ast.Attribute):
                chain = f"{chain}.{each.attr}" if index < _MAX_STEPS else f"{UNKNOWN}.{each.attr}"
                how = kind if index == last else CALL if called[index + 1] else READ
                length = len(each.attr) if each.attr.isascii() else len(each.attr.encode())
                self.use(chain, each.end_lineno or 1, (each.end_col_offset or 0) - length, how)
                if chain[0] == UNKNOWN:
                    chain = UNKNOWN
            elif called[index] and chain != UNKNOWN:
                chain += "()"
        return chain

    def annotation(self, node: ast.expr | None) -> None:
        """Note the uses in an annotation, quoted ones included."""
        stack: list[Any] = [node]
        while stack:
            each = stack.pop()
            kind = each.__class__
            if kind is ast.Name:
                self.use(each.id, each.lineno, each.col_offset, ANNOTATION)
            elif kind is ast.Constant:
                if each.value.__class__ is str:
                    self.quoted(each, each.value)
            elif each is not None:
                if kind is ast.Attribute and (name := dotted(each)):
                    length = len(each.attr.encode())
                    self.use(name, each.end_lineno, each.end_col_offset - length, ANNOTATION)
                for field in _FIELDS[kind]:
                    value = getattr(each, field)
                    stack.extend(value if value.__class__ is list else (value,))

    def quoted(self, node: ast.Constant, text: str) -> None:
        """Note the uses in a quoted annotation at the places where they are written."""
        inner = parsed_annotation(text)
        if inner is None or node.lineno != node.end_lineno:
            return
        quote = ((node.end_col_offset or 0) - node.col_offset - len(text.encode())) // 2
        for each in ast.walk(inner):
            if isinstance(each, ast.expr):
                each.lineno = each.end_lineno = node.lineno
                each.col_offset += node.col_offset + quote
                each.end_col_offset = (each.end_col_offset or 0) + node.col_offset + quote
        self.annotation(inner)

    def comprehension(self, node: Any, stack: list[Any]) -> None:
        """A comprehension: a scope of its own, except for its first iterable."""
        stack.append(node.generators[0].iter)
        inner = self.enter(owner=self.scope.owner)
        for index, each in enumerate(node.generators):
            self.bind_target(each.target)
            self.walk([*each.ifs, *([each.iter] if index else [])])
        self.walk([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.leave(inner)

    def function_like(self, node: ast.Lambda, stack: list[Any]) -> None:
        """A lambda: its defaults belong outside, its body inside."""
        stack.extend(each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None)
        inner = self.enter(owner=self.scope.owner)
        for each in arguments_of(node.args):
            inner.bind(each.arg)
        self.walk([node.body])
        self.leave(inner)

    def walrus(self, node: ast.NamedExpr, stack: list[Any]) -> None:
        """`name := value` binds in the function around, not in a comprehension."""
        scope = self.scope
        while scope.parent is not None and scope.parent.owner == scope.owner:
            scope = scope.parent
        scope.bind(node.target.id)
        stack.append(node.value)

    def bind_target(self, node: ast.expr, chain: str = UNKNOWN) -> None:
        """Bind what an assignment, a loop or a comprehension binds."""
        if isinstance(node, ast.Name):
            self.bind_name(node, chain)
        elif isinstance(node, ast.Starred):
            self.bind_target(node.value)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for each in node.elts:
                self.bind_target(each)
        elif isinstance(node, ast.Attribute):
            self.bind_attribute(node, chain)
        else:
            self.walk([node])

    def bind_name(self, node: ast.Name, chain: str) -> None:
        """Bind a plain name in the current scope."""
        self.scope.bind(node.id, chain)

    def bind_attribute(self, node: ast.Attribute, chain: str) -> None:
        """Assign to an attribute."""
        del chain
        self.visit(node, WRITE)

    def enter(self, owner: int, *, is_class: bool = False, class_index: int | None = None) -> Scope:
        """Open a scope inside the current one."""
        index = self.scope.class_index if class_index is None else class_index
        self.scope = Scope(self.scope, owner, is_class=is_class, class_index=index)
        return self.scope

    def leave(self, scope: Scope) -> None:
        """Close the current scope."""
        scope.close(self.final)
        self.scope = scope.parent or scope


def arguments_of(node: ast.arguments) -> Iterable[ast.arg]:
    """Every parameter in order."""
    every = (*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg)
    return [each for each in every if each is not None]


def _visit_link(self: Expressions, node: ast.expr, stack: list[Any]) -> None:
    self.link(node, READ, stack)


_SPECIAL: dict[type[ast.AST], Any] = {
    **dict.fromkeys(_LINKS, _visit_link),
    **dict.fromkeys(_COMPREHENSIONS, Expressions.comprehension),
    ast.Lambda: Expressions.function_like,
    ast.NamedExpr: Expressions.walrus,
}
