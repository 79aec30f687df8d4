"""What questions about code are answered with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contexten.codebase.questions import Questions


@dataclass(frozen=True, slots=True)
class File:
    """A file of the codebase."""

    path: str
    """Relative to the codebase's folder, with `/`."""
    language: str
    lines: int
    size: int
    """Bytes."""
    module: str = ""
    """Dotted name that Python imports it by; empty for other languages."""
    modified: float = field(default=0.0, compare=False)
    """Seconds since the epoch."""
    origin: Questions | None = field(default=None, compare=False, repr=False)
    """The state of the codebase that it was found in."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be read or understood, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition: of a function, class, method, variable, attribute or module."""

    name: str
    qualified_name: str
    kind: str
    path: str
    line: int
    end_line: int
    signature: str = ""
    """`def f(a: int) -> str`, `class A(B)`; empty for variables and attributes."""
    docstring: str = field(default="", compare=False)
    decorators: tuple[str, ...] = field(default=(), compare=False)
    parent: str | None = None
    """Qualified name of the class or function around it; None at the top of a module."""
    column: int = 0
    index: int = field(default=-1, repr=False)
    """Number of the definition within its file; -1 for a module."""
    origin: Questions | None = field(default=None, compare=False, repr=False)
    """The state of the codebase that it was found in."""

    @property
    def location(self) -> str:
        """`path:line`."""
        return f"{self.path}:{self.line}"

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "name": self.name,
            "qualified_name": self.qualified_name,
            "kind": self.kind,
            "path": self.path,
            "line": self.line,
            "end_line": self.end_line,
            "signature": self.signature,
            "docstring": self.docstring,
            "decorators": list(self.decorators),
            "parent": self.parent,
        }


@dataclass(frozen=True, slots=True)
class Reference:
    """A place where a symbol is used."""

    path: str
    line: int
    column: int
    """From 0, in characters."""
    kind: str
    """read, call, write, import, base, decorator, annotation or export (a name in `__all__`)."""
    text: str
    """The source line without its indentation."""
    symbol: Symbol | None
    """The definition around it; None at the top of a module."""
    target: Symbol | None = None
    """What is used there."""
    certain: bool = True
    """False when only the name says so: the type of what stands before the dot is not known."""

    @property
    def location(self) -> str:
        """`path:line`."""
        return f"{self.path}:{self.line}"

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "kind": self.kind,
            "text": self.text,
            "symbol": self.symbol.qualified_name if self.symbol else None,
            "target": self.target.qualified_name if self.target else None,
            "certain": self.certain,
        }


@dataclass(frozen=True, slots=True)
class Import:
    """An import of one file by another."""

    path: str
    """The file that imports."""
    line: int
    module: str
    """As it is written, leading dots included."""
    name: str
    """The imported name, `*`, or empty for `import module`."""
    target: str | None
    """The imported file, or None when it is not part of the codebase."""
    lazy: bool = False
    """Whether it stands in a function, and so happens when that is called."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A line that contains what was searched for."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """How a symbol is used somewhere."""

    reference: Reference
    source: str
    """The call with some lines around it, indentation taken off."""
