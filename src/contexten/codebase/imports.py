"""Which file imports which: the graph, its circles, and what matters most in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from contexten.codebase.cycles import cycles
from contexten.codebase.model import Import
from contexten.codebase.rank import page_rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contexten.codebase.modules import Modules
    from contexten.codebase.record import ImportRow
    from contexten.codebase.snapshot import Entry, Snapshot
    from contexten.codebase.unit import Unit


class Imports:
    """The imports of one state of a codebase.

    Args:
        snapshot: the state.
        before: those of an earlier state; what holds still is taken from there.
    """

    def __init__(self, snapshot: Snapshot, before: Imports | None = None) -> None:
        self.snapshot = snapshot
        self._earlier = before.known() if before is not None else _Earlier()

    def known(self) -> _Earlier:
        """What a later state may take over."""
        if "ranking" not in self.__dict__:
            return self._earlier
        snapshot = self.snapshot
        return _Earlier(snapshot.entries, snapshot.modules, self.import_graph, self.links, self.ranking)

    @cached_property
    def import_graph(self) -> dict[str, tuple[Import, ...]]:
        """The imports of every file."""
        return {path: self._imports_of(path) for path in sorted(self.snapshot.entries)}

    def _imports_of(self, path: str) -> tuple[Import, ...]:
        earlier = self._earlier
        if self.snapshot.modules is earlier.modules and self.snapshot.entries[path] is earlier.entries.get(path):
            return earlier.graph[path]
        return tuple(self._imports_in(path))

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
    def links(self) -> dict[str, list[str]]:
        """By file the other files that it imports."""
        return self._links(lazy=True)

    @cached_property
    def ranking(self) -> list[tuple[str, float]]:
        """Files by PageRank over imports, the most important first."""
        return self._earlier.ranking if self.links == self._earlier.links else page_rank(self.links)

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
        """The file that an import names: the module itself, or the package that something is taken from."""
        modules = self.snapshot.modules
        if not row.name:
            return modules.find(row.module, unit.path)
        return self.snapshot.resolver.submodule(unit, row) or self.snapshot.resolver.module_of(unit, row)


@dataclass(frozen=True, slots=True)
class _Earlier:
    entries: Mapping[str, Entry] = field(default_factory=dict)
    modules: Modules | None = None
    graph: dict[str, tuple[Import, ...]] = field(default_factory=dict)
    links: dict[str, list[str]] | None = None
    ranking: list[tuple[str, float]] = field(default_factory=list)
