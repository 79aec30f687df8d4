"""Where a symbol is used, through imports, other names, classes and what is known about types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.codebase.imports import Imports
from contexten.codebase.languages import PYTHON, language_of
from contexten.codebase.model import Reference, Symbol
from contexten.codebase.record import IMPORT, KINDS, UNKNOWN
from contexten.codebase.resolve import Entity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from contexten.codebase.record import ImportRow
    from contexten.codebase.snapshot import Snapshot
    from contexten.codebase.unit import Unit


class Uses:
    """The uses of symbols in one state of a codebase.

    Args:
        snapshot: the state that is asked.
        lines: gives a file's source lines.
        before: the imports of an earlier state.
    """

    def __init__(self, snapshot: Snapshot, lines: Callable[[str], list[str]], before: Imports | None = None) -> None:
        self.snapshot = snapshot
        self.graph = Imports(snapshot, before)
        self.lines = lines

    def references(
        self, symbol: Symbol, kinds: Iterable[str] | None = None, *, possible: bool = False
    ) -> list[Reference]:
        """Where a symbol is used, by path, line and column."""
        wanted = None if kinds is None else {KINDS.index(kind) for kind in kinds}
        found = [
            self._reference(unit, place, symbol, certain=certain)
            for unit, place, certain in self._uses(symbol, possible=possible)
            if wanted is None or unit.record.uses[place * 3 + 2] & 15 in wanted
        ]
        found.extend(self._import_references(symbol) if wanted is None or KINDS.index("import") in wanted else ())
        return sorted(set(found), key=lambda each: (each.path, each.line, each.column))

    def _uses(self, symbol: Symbol, *, possible: bool = False) -> Iterator[tuple[Unit, int, bool]]:
        same = self.same(symbol)
        for name in self._names(symbol):
            for path in self.snapshot.used.get(name, ()):
                unit = self.snapshot.unit(path)
                for number in unit.named.get(name, ()) if unit else ():
                    yield from self._places(unit, number, symbol, same, possible=possible)

    def users(self, symbol: Symbol, kinds: Collection[int]) -> set[tuple[str, int]]:
        """The definitions in which a symbol is used in some ways, as paths and indexes."""
        tags = ((unit, unit.record.uses[place * 3 + 2]) for unit, place, _certain in self._uses(symbol))
        return {(unit.path, (tag >> 4) - 1) for unit, tag in tags if tag & 15 in kinds and tag >> 4}

    def _places(
        self, unit: Unit | None, number: int, symbol: Symbol, same: set[Entity], *, possible: bool
    ) -> Iterator[tuple[Unit, int, bool]]:
        if unit is None:
            return
        chain = unit.record.chains[number]
        found = self.stands_for(unit, chain, same)
        if found or (possible and self._possible(unit, chain, symbol)):
            certain = found and unit.record.language == PYTHON
            yield from ((unit, place, certain) for place in unit.places(number))

    def _possible(self, unit: Unit, chain: str, symbol: Symbol) -> bool:
        if unit.record.language != PYTHON:
            return language_of(symbol.path) != PYTHON and self.snapshot.resolver.resolve(unit, chain) is None
        member = symbol.kind in ("method", "attribute")
        return member and "." in chain and self.snapshot.resolver.resolve(unit, chain) is None

    def stands_for(self, unit: Unit, chain: str, same: set[Entity]) -> bool:
        """Whether a chain in a file means one of some definitions."""
        if chain[0] == UNKNOWN:
            return False
        found = self.snapshot.resolver.resolve(unit, chain)
        return found is not None and found._replace(instance=False) in same

    def same(self, symbol: Symbol) -> set[Entity]:
        """Every definition of the same name in the same place (overloads, branches of an `if`, property setters)."""
        unit = self.snapshot.unit(symbol.path)
        if unit is None or symbol.index < 0:
            return {Entity(symbol.path, -1)}
        row = unit.symbol(symbol.index)
        return {Entity(symbol.path, index) for index in unit.members[row.parent][row.name]}

    def _names(self, symbol: Symbol) -> list[str]:
        """The names by which a symbol is known: its own and those that imports give it."""
        same = self.same(symbol)
        names, waiting = [], [symbol.name]
        while waiting:
            name = waiting.pop()
            if name in names:
                continue
            names.append(name)
            for unit, row in self._imports_of(name):
                if row.bound not in names and row.bound != name and self._imports(unit, row, same):
                    waiting.append(row.bound)
        return names

    def _imports_of(self, name: str) -> Iterator[tuple[Unit, ImportRow]]:
        for path in self.snapshot.used.get(name, ()):
            unit = self.snapshot.unit(path)
            yield from ((unit, row) for row in unit.imported.get(name, ())) if unit else ()

    def _imports(self, unit: Unit, row: ImportRow, same: set[Entity]) -> bool:
        found = self.snapshot.resolver.imported(unit, row)
        return found is not None and found in same

    def _import_references(self, symbol: Symbol) -> Iterator[Reference]:
        if symbol.kind == "module":
            yield from self._module_references(symbol)
            return
        same = self.same(symbol)
        for name in self._names(symbol):
            for unit, row in self._imports_of(name):
                if self._imports(unit, row, same):
                    yield self._import_reference(unit, row, symbol)

    def _module_references(self, symbol: Symbol) -> Iterator[Reference]:
        for each in self.graph.importers(symbol.path):
            unit = self.snapshot.unit(each.path)
            for row in unit.record.imports if unit else ():
                if (
                    unit
                    and row.line == each.line
                    and row.name == each.name
                    and self.graph.target_file(unit, row) == symbol.path
                ):
                    yield self._import_reference(unit, row, symbol)

    def _import_reference(self, unit: Unit, row: ImportRow, target: Symbol) -> Reference:
        return self._at(unit, (row.line, row.column, (row.scope + 1) * 16 + IMPORT), target)

    def _reference(self, unit: Unit, place: int, target: Symbol | None, *, certain: bool = True) -> Reference:
        line, column, tag = unit.record.uses[place * 3 : place * 3 + 3]
        return self._at(unit, (line, column, tag), target, certain=certain)

    def _at(self, unit: Unit, use: tuple[int, int, int], target: Symbol | None, *, certain: bool = True) -> Reference:
        line, column, tag = use
        lines = self.lines(unit.path)
        text = lines[line - 1] if line <= len(lines) else ""
        if not text.isascii():
            column = len(text.encode()[:column].decode("utf-8", "replace"))
        owner = (tag >> 4) - 1
        symbol = self.snapshot.symbol(unit.path, owner) if owner >= 0 else None
        return Reference(unit.path, line, column, KINDS[tag & 15], text.strip(), symbol, target, certain)
