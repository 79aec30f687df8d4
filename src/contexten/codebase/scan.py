"""Read one Python file in one pass over its syntax tree: definitions, imports and uses of names."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contexten.codebase import record as rec
from contexten.codebase.expressions import Expressions, arguments_of
from contexten.codebase.headers import Definition, annotation_chain, docstring_of, dotted, signature_of
from contexten.codebase.record import ImportRow, Record, SymbolRow
from contexten.codebase.scopes import Scope, merge
from contexten.codebase.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator


def scan_python(source: bytes) -> Record:
    """Everything the index keeps about a Python file; a file that does not parse has a `problem` and nothing else."""
    lines = source.count(b"\n") + (bool(source) and not source.endswith(b"\n"))
    try:
        return _Scanner(source, lines).module(parse(source))
    except SyntaxError as error:
        where = f" (line {error.lineno})" if error.lineno else ""
        problem = f"{error.msg}{where}"
    except (RecursionError, MemoryError):
        problem = "nested too deeply to be read"
    except ValueError as error:
        problem = str(error)
    return Record("python", lines, problem=problem)


class _Scanner(Expressions):
    """The state of one pass."""

    def __init__(self, source: bytes, lines: int) -> None:
        super().__init__()
        self.record = Record("python", lines)
        self.source = source.splitlines()
        self.attributes: dict[tuple[int, str], int] = {}
        self.values: dict[int, str] = {}

    def module(self, tree: ast.Module) -> Record:
        self.record.docstring = docstring_of(tree.body)
        self.body(tree.body)
        for chain, places in self.scope.uses.items():
            merge(self.final, chain, places)
        for index, chain in self.scope.typed:
            self.values.setdefault(index, chain)
        return self.finish()

    def finish(self) -> Record:
        record = self.record
        for index, chain in self.values.items():
            if chain[0] != rec.UNKNOWN and not record.symbols[index].type:
                record.symbols[index] = record.symbols[index]._replace(type=chain)
        for chain, places in sorted(self.final.items()):
            record.chains.append(chain)
            record.offsets.append(len(record.uses) // 3)
            record.uses.extend(places)
        record.offsets.append(len(record.uses) // 3)
        return record

    def body(self, statements: list[ast.stmt]) -> None:
        for node in statements:
            _STATEMENTS.get(node.__class__, _Scanner.other)(self, node)

    def other(self, node: Any) -> None:
        """A statement without bindings of its own: look into its fields."""
        for name in node._fields:
            self.part(getattr(node, name))

    def part(self, value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                self.part(each)
        elif isinstance(value, ast.stmt):
            self.body([value])
        elif isinstance(value, ast.expr):
            self.visit(value)
        elif isinstance(value, (ast.excepthandler, ast.withitem, ast.match_case, ast.pattern)):
            _STATEMENTS.get(value.__class__, _Scanner.other)(self, value)

    # definitions

    def add(self, node: Any, name: str, kind: str, **more: Any) -> int:
        """Add a definition and give back its index."""
        self.record.symbols.append(
            SymbolRow(
                name=name,
                kind=kind,
                parent=more.get("parent", self.scope.owner),
                line=node.lineno,
                column=node.col_offset,
                end_line=node.end_lineno,
                signature=more.get("signature", ""),
                docstring=more.get("docstring", ""),
                decorators=more.get("decorators", []),
                bases=more.get("bases", []),
                type=more.get("type", ""),
            )
        )
        return len(self.record.symbols) - 1

    def define(self, node: Definition, kind: str) -> int:
        index = self.add(
            node,
            node.name,
            kind,
            signature=signature_of(node, self.source),
            docstring=docstring_of(node.body),
            decorators=[" ".join(ast.unparse(each).split()) for each in node.decorator_list],
        )
        if node.decorator_list:
            with self.header(index):
                for each in node.decorator_list:
                    self.visit(each, rec.DECORATOR)
        return index

    def bind_definition(self, name: str, index: int) -> None:
        scope = self.scope
        local = scope.owner >= 0 and not scope.is_class
        scope.bind(name, f"#{index}" if local else f"@{scope.owner}.{name}" if scope.is_class else name, direct=True)

    def class_definition(self, node: ast.ClassDef) -> None:
        index = self.define(node, "class")
        self.bind_definition(node.name, index)
        if node.bases or node.keywords:
            self.class_header(node, index)
        inner = self.enter(index, is_class=True, class_index=index)
        self.body(node.body)
        self.leave(inner)

    def class_header(self, node: ast.ClassDef, index: int) -> None:
        with self.header(index):
            chains = [self.base(each) for each in node.bases]
            for each in node.keywords:
                self.visit(each.value)
        bases = [self.scope.expand(chain) for chain in chains]
        self.record.symbols[index] = self.record.symbols[index]._replace(bases=bases)

    def function_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        in_class = self.scope.is_class
        index = self.define(node, "method" if in_class else "function")
        self.bind_definition(node.name, index)
        self.signature_uses(node, index)
        scope = self.enter(index)
        if node.returns is not None:
            scope.typed.append((index, annotation_chain(node.returns)))
        self.bind_parameters(node, in_class=in_class)
        self.body(node.body)
        if node.returns is None and scope.returns and len(set(scope.returns)) == 1:
            scope.typed.append((index, scope.returns[0]))
        self.leave(scope)

    def signature_uses(self, node: ast.FunctionDef | ast.AsyncFunctionDef, index: int) -> None:
        """Defaults and annotations are looked up outside the function, yet belong to it."""
        defaults = (*node.args.defaults, *node.args.kw_defaults)
        annotations = [each.annotation for each in arguments_of(node.args) if each.annotation] + [node.returns]
        if not defaults and annotations == [None]:
            return
        with self.header(index):
            for default in defaults:
                self.visit(default)
            for annotation in annotations:
                self.annotation(annotation)

    def base(self, node: ast.expr) -> str:
        """Note the uses in a base class; gives back its chain, that of `Base` for `Base[int]`."""
        if not isinstance(node, ast.Subscript):
            return self.visit(node, rec.BASE)
        self.annotation(node.slice)
        return self.visit(node.value, rec.BASE)

    @contextmanager
    def header(self, index: int) -> Iterator[None]:
        """Uses that belong to a definition and are looked up where it stands."""
        outer = self.scope
        self.scope = header = Scope(None, index)
        yield
        self.scope = outer
        for chain, places in header.uses.items():
            merge(outer.uses, chain, places)

    def bind_parameters(self, node: ast.FunctionDef | ast.AsyncFunctionDef, *, in_class: bool) -> None:
        names = {dotted(each) for each in node.decorator_list}
        bound = in_class and "staticmethod" not in names
        for position, each in enumerate(arguments_of(node.args)):
            plain = each is not node.args.vararg and each is not node.args.kwarg
            chain = annotation_chain(each.annotation) if plain else rec.UNKNOWN
            if bound and position == 0:
                chain = f"@{self.scope.class_index}"
            self.scope.bind(each.arg, chain)

    # bindings

    def bind_name(self, node: ast.Name, chain: str) -> None:
        scope = self.scope
        name = node.id
        if name in scope.globals:
            self.use(name, node.lineno, node.col_offset, rec.WRITE)
            return
        owner = scope.owner
        comprehension = scope.parent is not None and scope.parent.owner == owner
        if comprehension or not (owner < 0 or scope.is_class):
            scope.bind(name, chain)
            return
        if name in scope.bindings:
            self.use(name, node.lineno, node.col_offset, rec.WRITE)
        else:
            index = self.add(node, name, "attribute" if scope.is_class else "variable")
            if scope.is_class:
                self.attributes[owner, name] = index
            scope.typed.append((index, chain))
        scope.bind(name, f"@{owner}.{name}" if scope.is_class else name, direct=True)

    def bind_attribute(self, node: ast.Attribute, chain: str) -> None:
        base = self.visit(node.value)
        if base == rec.UNKNOWN:
            return
        self.attribute_symbol(node, base, chain)

    def attribute_symbol(self, node: ast.Attribute, base: str, chain: str) -> None:
        column = (node.end_col_offset or 0) - len(node.attr.encode())
        owner = self.scope.expand(base)
        if owner[0] == "@" and owner[1:].isdigit():
            key = (int(owner[1:]), node.attr)
            if key not in self.attributes:
                place = ast.Name(node.attr, lineno=node.lineno, col_offset=column, end_lineno=node.end_lineno)
                self.attributes[key] = self.add(place, node.attr, "attribute", parent=key[0])
                self.scope.typed.append((self.attributes[key], chain))
                return
        self.use(f"{base}.{node.attr}", node.end_lineno or 1, column, rec.WRITE)

    def assign(self, node: ast.Assign) -> None:
        chain = self.visit(node.value)
        if self.scope.owner < 0 and dotted(node.targets[0]) == "__all__":
            self.exports(node.value)
        for target in node.targets:
            self.bind_target(target, chain)

    def annotated(self, node: ast.AnnAssign) -> None:
        self.annotation(node.annotation)
        self.visit(node.value)
        self.bind_target(node.target, annotation_chain(node.annotation))

    def augmented(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if self.scope.owner < 0 and dotted(node.target) == "__all__":
            self.exports(node.value)
        self.bind_target(node.target)

    def exports(self, value: ast.expr) -> None:
        """`__all__`: a list of strings counts; anything else makes it unknown for good."""
        if not isinstance(value, (ast.List, ast.Tuple)):
            return
        names = [
            (each, each.value) for each in value.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        self.record.exports = (self.record.exports or []) + [name for _each, name in names]
        for each, name in names:
            self.use(name, each.lineno, each.col_offset + 1, rec.EXPORT)

    def expression(self, node: ast.Expr) -> None:
        self.visit(node.value)

    def branch(self, node: ast.If | ast.While) -> None:
        self.visit(node.test)
        self.body(node.body)
        self.body(node.orelse)

    def loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.bind_target(node.target)
        self.body(node.body)
        self.body(node.orelse)

    def with_item(self, node: ast.withitem) -> None:
        chain = self.visit(node.context_expr)
        if node.optional_vars is not None:
            self.bind_target(node.optional_vars, chain)

    def handler(self, node: ast.ExceptHandler) -> None:
        self.visit(node.type)
        if node.name:
            chain = dotted(node.type) if node.type is not None else ""
            self.scope.bind(node.name, f"{chain}()" if chain else rec.UNKNOWN)
        self.body(node.body)

    def import_module(self, node: ast.Import) -> None:
        for each in node.names:
            bound = each.asname or each.name.partition(".")[0]
            self.imported(ImportRow(each.name, 0, "", bound, self.scope.owner, each.lineno, each.col_offset), each)

    def import_from(self, node: ast.ImportFrom) -> None:
        for each in node.names:
            bound = each.asname or each.name
            row = (node.module or "", node.level, each.name, bound, self.scope.owner, each.lineno, each.col_offset)
            self.imported(ImportRow(*row), each)

    def imported(self, row: ImportRow, node: ast.alias) -> None:
        scope = self.scope
        row = row._replace(scope=-1) if row.bound in scope.globals else row
        self.record.imports.append(row)
        if row.name == "*":
            return
        index = len(self.record.imports) - 1
        scope.bind(row.bound, row.bound if row.scope < 0 else f"%{index}", direct=True)
        if node.asname == node.name:  # `import a as a`: the name stands there twice
            self.use(row.bound, node.end_lineno or 1, (node.end_col_offset or 0) - len(row.bound.encode()), rec.IMPORT)

    def declare(self, node: ast.Global | ast.Nonlocal) -> None:
        self.scope.globals.update(node.names)

    def gives_back(self, node: ast.Return) -> None:
        self.scope.returns.append(self.visit(node.value))

    def capture(self, node: Any) -> None:
        """A pattern that may bind a name."""
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name:
            self.scope.bind(name)
        self.other(node)


_STATEMENTS: dict[type[ast.AST], Any] = {
    ast.ClassDef: _Scanner.class_definition,
    ast.FunctionDef: _Scanner.function_definition,
    ast.AsyncFunctionDef: _Scanner.function_definition,
    ast.Assign: _Scanner.assign,
    ast.AnnAssign: _Scanner.annotated,
    ast.AugAssign: _Scanner.augmented,
    ast.Expr: _Scanner.expression,
    ast.If: _Scanner.branch,
    ast.While: _Scanner.branch,
    ast.For: _Scanner.loop,
    ast.AsyncFor: _Scanner.loop,
    ast.withitem: _Scanner.with_item,
    ast.ExceptHandler: _Scanner.handler,
    ast.Import: _Scanner.import_module,
    ast.ImportFrom: _Scanner.import_from,
    ast.Global: _Scanner.declare,
    ast.Nonlocal: _Scanner.declare,
    ast.Return: _Scanner.gives_back,
    ast.MatchAs: _Scanner.capture,
    ast.MatchStar: _Scanner.capture,
    ast.MatchMapping: _Scanner.capture,
}
