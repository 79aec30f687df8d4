"""Which file imports which: the graph, its circles, and what matters most in it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from contexten.codebase.cycles import cycles
from contexten.codebase.model import Import
from contexten.codebase.rank import page_rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.codebase.record import ImportRow
    from contexten.codebase.snapshot import Snapshot
    from contexten.codebase.unit import Unit


class Imports:
    """The imports of one state of a codebase."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @cached_property
    def import_graph(self) -> dict[str, tuple[Import, ...]]:
        """The imports of every file."""
        return {path: tuple(self._imports_in(path)) for path in sorted(self.snapshot.entries)}

    @cached_property
    def imported_by(self) -> dict[str, list[Import]]:
        """The imports of every file by others."""
        found: dict[str, list[Import]] = {}
        for imports in self.import_graph.values():
            for each in imports:
                if each.target and each.target != each.path:
                    found.setdefault(each.target, []).append(each)
        return found

    def imports(self, path: str) -> list[Import]:
        """What a file imports, in source order."""
        return list(self._imports_in(path))

    def importers(self, path: str) -> list[Import]:
        """The imports by which other files take something from a file."""
        return list(self.imported_by.get(path, ()))

    @cached_property
    def ranking(self) -> list[tuple[str, float]]:
        """Files by PageRank over imports, the most important first."""
        return page_rank(self._links(lazy=True))

    @cached_property
    def cycles(self) -> list[list[str]]:
        """Files that import each other in a circle, imports inside functions left out."""
        return cycles(self._links(lazy=False))

    def _links(self, *, lazy: bool) -> dict[str, list[str]]:
        return {
            path: sorted({each.target for each in found if each.target and each.target != path and lazy >= each.lazy})
            for path, found in self.import_graph.items()
        }

    def _imports_in(self, path: str) -> Iterator[Import]:
        unit = self.snapshot.unit(path)
        for row in unit.record.imports if unit else ():
            if unit:
                module = "." * row.level + row.module
                yield Import(path, row.line, module, row.name, self.target_file(unit, row), lazy=unit.is_lazy(row))

    def target_file(self, unit: Unit, row: ImportRow) -> str | None:
        """The file that an import names: the module itself, or the package that it is taken from."""
        resolver = self.snapshot.resolver
        if not row.name:
            return self.snapshot.modules.find(row.module, unit.path)
        found = resolver.imported(unit, row) if row.name != "*" else None
        if found is not None and found.symbol < 0:
            return found.path
        return resolver.module_of(unit, row)
