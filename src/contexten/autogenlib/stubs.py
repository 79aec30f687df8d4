"""Type stubs of generated modules, so that type checkers and editors know what an import will find.

A stub is a source without the bodies of its functions. They are beside the project's code, where pyright looks by itself and mypy
when it is told (`mypy_path = "typings"`), and are written once somebody has asked for them.
"""

from __future__ import annotations

import ast
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from contexten.autogenlib.answer import AnswerError, defined, parsed
from contexten.autogenlib.lockfile import replaced
from contexten.errors import AutogenError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contexten.autogenlib.lockfile import Lock

FOLDER = "typings"
PACKAGE = "contexten.autogen"
_HEAD = "# Written by `contexten autogen stubs`: it is written anew whenever its module changes."
_ANY = "from typing import Any as _Any"
_LOG = logging.getLogger("contexten.autogenlib")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Stubs:
    """The stubs of a project.

    Args:
        lock: knows the modules.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self.folder = lock.root.joinpath(FOLDER, *PACKAGE.split("."))

    @property
    def wanted(self) -> bool:
        """Whether the project has stubs: then they follow its modules."""
        return self.folder.is_dir()

    def write(self) -> list[Path]:
        """Write what is missing or out of date, and remove what has no module any more; all stubs then.

        Raises:
            AutogenError: a file cannot be written, or somebody else has written one in its place.
        """
        texts = self._texts()
        try:
            for path in self._written() - texts.keys():
                path.unlink()
            for path, text in texts.items():
                self._write(path, text)
        except (OSError, ValueError) as error:
            raise AutogenError(f"Stubs cannot be kept in {self.folder}: {error}.") from error
        return sorted(texts)

    def follow(self) -> None:
        """Bring them up to date where the project has some; what goes wrong is told, and hinders nothing."""
        if not self.wanted:
            return
        try:
            self.write()
        except AutogenError as error:
            _LOG.warning("%s", error)

    def stale(self) -> list[str]:
        """Stubs that are out of date, missing, or of no module, by their paths in the project; none where none are wanted."""
        if not self.wanted:
            return []
        texts = self._texts()
        wrong = {path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text}
        return sorted(path.relative_to(self._lock.root).as_posix() for path in wrong | (self._written() - texts.keys()))

    def _write(self, path: Path, text: str) -> None:
        if not path.parent.resolve().is_relative_to(self._lock.root):
            raise AutogenError(f"{path} leads out of {self._lock.root} by a link: nothing is written there.")
        if path.is_file():
            there = path.read_text("utf-8")
            if there == text:
                return
            if not there.startswith(_HEAD):
                raise AutogenError(f"{path} is not one of ours. Move it away, or remove it.")
        replaced(path, text)

    def _texts(self) -> dict[Path, str]:
        """What the files should say. A module with others below it is a package, also when nothing else is in it."""
        modules = self._lock.modules()
        packages = {
            ".".join(parts[:count]) for name in modules for parts in [name.split(".")] for count in range(1, len(parts))
        }
        found = {}
        for name in {*modules, *packages}:
            place = self.folder.joinpath(*name.split("."))
            path = place / "__init__.pyi" if name in packages else place.with_suffix(".pyi")
            with suppress(AutogenError):  # its source is gone, which `check` tells
                source = self._lock.source(name) if name in modules else ""
                found[path] = f"{_HEAD}\n{stub_of(source or '')}"
        return found

    def _written(self) -> set[Path]:
        """The files that are ours."""
        files = self.folder.rglob("*.pyi") if self.wanted else ()
        return {path for path in files if path.read_text("utf-8", "replace").startswith(_HEAD)}


def stub_of(source: str) -> str:
    """The stub of a source; an empty one of what is no Python."""
    try:
        module = parsed(source)
    except AnswerError:
        return ""
    body = [each for node in module.body for each in _short(node)]
    uses_any = any(isinstance(node, ast.Name) and node.id == "_Any" for each in body for node in ast.walk(each))
    text = ast.unparse(ast.Module(body, []))
    if not uses_any:
        return f"{text}\n" if text else ""
    future = [each for each in body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    rest = [each for each in body if each not in future]
    return f"{ast.unparse(ast.Module([*future, *ast.parse(_ANY).body, *rest], []))}\n"


def _short(node: ast.stmt) -> Iterator[ast.stmt]:
    """A statement without what only runs."""
    if isinstance(node, _Function):
        node.body = [*_docstring(node), ast.Expr(ast.Constant(...))]
    elif isinstance(node, ast.ClassDef):
        attributes = list(_attributes(node))
        inner = [each for part in node.body for each in _short(part) if not isinstance(each, ast.Pass)]
        node.body = [*inner[: len(_docstring(node))], *attributes, *inner[len(_docstring(node)) :]] or [ast.Pass()]
    yield node


def _docstring(node: _Function | ast.ClassDef) -> list[ast.stmt]:
    return node.body[:1] if ast.get_docstring(node, clean=False) is not None else []


def _attributes(node: ast.ClassDef) -> Iterator[ast.stmt]:
    """What methods give the object, as far as the class does not say it itself."""
    said = {name for part in node.body for name in defined(part)} | _declared(node)
    for method in (part for part in node.body if isinstance(part, _Function) and part.args.args):
        own = method.args.args[0].arg
        types = {each.arg: each.annotation for each in [*method.args.args, *method.args.kwonlyargs] if each.annotation}
        for part in ast.walk(method):
            for name in _given(part, own):
                if name not in said:
                    said.add(name)
                    yield ast.AnnAssign(ast.Name(name, ast.Store()), _type(part, types), None, 1)


def _declared(node: ast.ClassDef) -> set[str]:
    return {
        part.target.id for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }


def _given(node: ast.AST, own: str) -> list[str]:
    """The attributes of the object that a statement gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    attributes = [target for target in targets if isinstance(target, ast.Attribute)]
    return [each.attr for each in attributes if isinstance(each.value, ast.Name) and each.value.id == own]


def _type(node: ast.AST, types: dict[str, ast.expr]) -> ast.expr:
    """The type that an assignment gives, as far as it can be seen."""
    if isinstance(node, ast.AnnAssign):
        return node.annotation
    value = node.value if isinstance(node, ast.Assign) else None
    if isinstance(value, ast.Name) and value.id in types:
        return types[value.id]
    if isinstance(value, ast.Constant) and isinstance(value.value, bool | int | float | str | bytes):
        return ast.Name(type(value.value).__name__, ast.Load())
    return ast.Name("_Any", ast.Load())
