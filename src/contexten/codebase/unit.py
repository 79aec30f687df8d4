"""One decoded file with the lookups that questions need."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contexten.codebase.record import ImportRow, Record, SymbolRow
    from contexten.codebase.resolve import Entity


class Unit:
    """A record, its place in the codebase, and indexes over it that are made when first used."""

    def __init__(self, path: str, module: str, record: Record) -> None:
        self.path = path
        self.module = module
        self.record = record
        self.answers: dict[str, Entity | None] = {}
        """What chains were resolved to."""

    @cached_property
    def members(self) -> dict[int, dict[str, list[int]]]:
        """Indexes of definitions by enclosing symbol (-1: the module) and name, in source order."""
        found: dict[int, dict[str, list[int]]] = {}
        for index, row in enumerate(self.record.symbols):
            found.setdefault(row.parent, {}).setdefault(row.name, []).append(index)
        return found

    @cached_property
    def imports(self) -> dict[str, list[ImportRow]]:
        """Module-level imports by the name that they bind; star imports under `*`."""
        found: dict[str, list[ImportRow]] = {}
        for row in self.record.imports:
            if row.scope < 0 or self._is_class(row.scope):
                found.setdefault(row.bound, []).append(row)
        return found

    @cached_property
    def imported(self) -> dict[str, list[ImportRow]]:
        """Every import by the name that it takes from elsewhere."""
        found: dict[str, list[ImportRow]] = {}
        for row in self.record.imports:
            found.setdefault(row.name, []).append(row)
        return found

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """Numbers of the chains that end with each name."""
        found: dict[str, list[int]] = {}
        for number, chain in enumerate(self.record.chains):
            found.setdefault(self.record.last_name(chain), []).append(number)
        return found

    @cached_property
    def local_names(self) -> list[str]:
        """Dotted names of the definitions within the module."""
        return [self.record.local_name(index) for index in range(len(self.record.symbols))]

    @cached_property
    def by_owner(self) -> dict[int, list[tuple[int, int]]]:
        """Chain and place (index into the uses) of every use, by the symbol that it stands in."""
        found: dict[int, list[tuple[int, int]]] = {}
        uses = self.record.uses
        for number in range(len(self.record.chains)):
            for place in range(self.record.offsets[number], self.record.offsets[number + 1]):
                found.setdefault((uses[place * 3 + 2] >> 4) - 1, []).append((number, place))
        return found

    def places(self, number: int) -> range:
        """Indexes of the uses of one chain."""
        return range(self.record.offsets[number], self.record.offsets[number + 1])

    def symbol(self, index: int) -> SymbolRow:
        """A definition."""
        return self.record.symbols[index]

    def implementation(self, index: int) -> int:
        """The definition that the overloads of a function stand for, or the first of them; any other is its own."""
        row = self.symbol(index)
        if not _is_overload(row):
            return index
        same = self.members[row.parent][row.name]
        return next((each for each in reversed(same) if not _is_overload(self.symbol(each))), same[0])

    def is_lazy(self, row: ImportRow) -> bool:
        """Whether an import stands in a function: it happens when the function is called."""
        scope = row.scope
        while scope >= 0 and self._is_class(scope):
            scope = self.symbol(scope).parent
        return scope >= 0

    def _is_class(self, index: int) -> bool:
        return self.record.symbols[index].kind == "class"


def _is_overload(row: SymbolRow) -> bool:
    return any(each.rpartition(".")[2] == "overload" for each in row.decorators)
