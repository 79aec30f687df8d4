"""What is known about one file, and its compact form for pipes, the disk and memory. Standard library only.

A use of a name is stored as a *chain*: a root followed by `.attribute` and `()` steps. The scanner has already replaced
local variables, so a root is one of

    name    a name of the module, or a builtin
    @3      the namespace of the class that is symbol 3 (what `self` and `cls` reach)
    ^3      the same, from its bases on (what `super()` reaches)
    #3      symbol 3 itself (a function or class inside a function)
    %3      what import 3 binds (an import inside a function)
    ?       not known
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = f"5-{sys.byteorder}"
"""Changes whenever older records can no longer be read or would say something else."""

READ, CALL, WRITE, IMPORT, BASE, DECORATOR, ANNOTATION, EXPORT = range(8)
KINDS = ("read", "call", "write", "import", "base", "decorator", "annotation", "export")
"""Kinds of references, by number."""

UNKNOWN = "?"
_LENGTHS = struct.Struct("<4I")


class SymbolRow(NamedTuple):
    """One definition in a file."""

    name: str
    kind: str
    parent: int
    """Index of the enclosing symbol, -1 for the module."""
    line: int
    column: int
    end_line: int
    signature: str
    docstring: str
    decorators: Sequence[str]
    bases: Sequence[str]
    """Chains of the base classes."""
    type: str
    """Chain of the value of a variable, or of what a function returns; empty when not known."""


class ImportRow(NamedTuple):
    """One imported name. `import a.b` has name "" and module "a.b"; a star import has the name "*"."""

    module: str
    level: int
    name: str
    bound: str
    """Name that it binds."""
    scope: int
    """Index of the function or class that it stands in, -1 for the module."""
    line: int
    column: int


class Record:
    """What is known about one file; a plain class, because importing `dataclasses` costs the reading processes dearly."""

    __slots__ = (
        "chains",
        "docstring",
        "exports",
        "imports",
        "language",
        "lines",
        "offsets",
        "problem",
        "symbols",
        "uses",
    )

    def __init__(self, language: str, lines: int = 0, *, problem: str = "") -> None:
        self.language = language
        self.lines = lines
        self.problem = problem
        self.symbols: list[SymbolRow] = []
        self.imports: list[ImportRow] = []
        self.docstring = ""
        """Of the module."""
        self.exports: list[str] | None = None
        """`__all__`, where it is a plain list of strings."""
        self.chains: list[str] = []
        self.offsets: list[int] = []
        """Where the uses of each chain begin in `uses`, and the end of the last."""
        self.uses = array("I")
        """Triples of line, column (in bytes) and `(owner + 1) * 16 + kind`."""

    def last_name(self, chain: str) -> str:
        """The name that is written in the source where a chain is used."""
        _head, dot, tail = chain.rpartition(".")
        if dot:
            return tail
        if chain[0] == "#":
            return self.symbols[int(chain[1:])].name
        return self.imports[int(chain[1:])].bound if chain[0] == "%" else chain

    def local_name(self, index: int) -> str:
        """Dotted name of a symbol within its module."""
        row = self.symbols[index]
        return row.name if row.parent < 0 else f"{self.local_name(row.parent)}.{row.name}"


class Outline(NamedTuple):
    """The part of a record that an index of many files needs at once."""

    language: str
    lines: int
    problem: str
    defined: list[str]
    used: list[str]


def encode(record: Record) -> bytes:
    """The compact form: an outline and a body in JSON, then the uses as they lie in memory."""
    defined = sorted({row.name for row in record.symbols})
    used = {record.last_name(chain) for chain in record.chains}
    used.update(row.name for row in record.imports if row.name not in ("", "*"))
    outline = _json([record.language, record.lines, record.problem, defined, sorted(used)])
    body = _json([record.docstring, record.symbols, record.imports, record.exports, record.chains, record.offsets])
    uses = record.uses.tobytes()
    payload = outline + body + uses
    return _LENGTHS.pack(zlib.crc32(payload), len(outline), len(body), len(uses)) + payload


def decode_outline(data: bytes) -> Outline:
    """The outline of an encoded record; ValueError when the bytes are not one."""
    outline, _body, _uses = _sections(data)
    if zlib.crc32(memoryview(data)[_LENGTHS.size :]) != _LENGTHS.unpack_from(data)[0]:
        raise ValueError("an index record is damaged")
    return Outline(*json.loads(outline))


def decode(data: bytes) -> Record:
    """The whole of an encoded record; ValueError when the bytes are not one."""
    outline, body, uses = _sections(data)
    language, lines, problem, _defined, _used = json.loads(outline)
    docstring, symbols, imports, exports, chains, offsets = json.loads(body)
    record = Record(language, lines, problem=problem)
    record.docstring, record.exports, record.offsets = docstring, exports, offsets
    record.symbols = [_symbol(row) for row in symbols]
    record.imports = [ImportRow(*row) for row in imports]
    record.chains = [sys.intern(chain) for chain in chains]
    record.uses = array("I", bytes(uses))
    return record


def _symbol(row: list[Any]) -> SymbolRow:
    row[8], row[9] = tuple(row[8]), tuple(row[9])  # of these most are empty, and empty tuples are all one
    return SymbolRow(*row)


def _sections(data: bytes) -> tuple[bytes, bytes, bytes]:
    if len(data) < _LENGTHS.size:
        raise ValueError("an index record is cut off")
    _sum, first, second, third = _LENGTHS.unpack_from(data)
    start = _LENGTHS.size
    if len(data) != start + first + second + third:
        raise ValueError("an index record has the wrong length")
    middle, last = start + first, start + first + second
    return data[start:middle], data[middle:last], data[last:]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
