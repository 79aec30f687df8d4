"""Questions about symbols: where they are used, by whom, and what they use."""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from contexten.codebase.cycles import cycles
from contexten.codebase.lexicon import words_of_definitions
from contexten.codebase.model import Import, Reference, Symbol
from contexten.codebase.rank import page_rank
from contexten.codebase.record import CALL, IMPORT, KINDS, UNKNOWN
from contexten.codebase.resolve import Entity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contexten.codebase.record import ImportRow
    from contexten.codebase.snapshot import Snapshot
    from contexten.codebase.unit import Unit


class Questions:
    """Answers from one snapshot.

    Args:
        snapshot: the state that is asked.
        lines: gives a file's source lines.
    """

    def __init__(self, snapshot: Snapshot, lines: Callable[[str], list[str]]) -> None:
        self.snapshot = snapshot
        snapshot.questions = self
        self.lines = lru_cache(maxsize=64)(lines)

    # finding

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions by simple name, qualified name or its end; ignoring case when nothing fits exactly."""
        found = self.named(name)
        if not found:
            found = [each for other in self._other_spellings(name) for each in self.named(other)]
        return sorted(found, key=lambda each: (each.kind == "module", each.path, each.line, each.index))

    def named(self, name: str) -> list[Symbol]:
        """Definitions by simple name, qualified name or its end, exactly as spelled and in no order."""
        last = name.replace(":", ".").rpartition(".")[2]
        found = []
        for path in self.snapshot.defined.get(last, ()):
            unit = self.snapshot.unit(path)
            for index, row in enumerate(unit.record.symbols if unit else ()):
                if row.name == last and (symbol := self.snapshot.symbol(path, index)) and _fits(symbol, name):
                    found.append(symbol)
        for path in self.snapshot.modules.files.get(name, ()):
            module = self.snapshot.symbol(path, -1)
            found.extend([module] if module else [])
        return found

    def _other_spellings(self, name: str) -> Iterable[str]:
        head, dot, last = name.rpartition(".")
        wanted = last.casefold()
        known = {each for each in self.snapshot.defined if each.casefold() == wanted and each != last}
        return [f"{head}{dot}{each}" for each in sorted(known)]

    def line(self, path: str, number: int) -> str:
        """A line of a file without its indentation; empty when the file has become shorter."""
        lines = self.lines(path)
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    # uses of a symbol

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
                    chain = unit.record.chains[number]
                    if self.stands_for(unit, chain, same):
                        yield from ((unit, place, True) for place in unit.places(number))
                    elif possible and self._possible(unit, chain, symbol):
                        yield from ((unit, place, False) for place in unit.places(number))

    def _possible(self, unit: Unit, chain: str, symbol: Symbol) -> bool:
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
        for unit, row in self._imports_of(symbol.name):
            if self._imports(unit, row, same):
                yield self._import_reference(unit, row, symbol)

    def _module_references(self, symbol: Symbol) -> Iterator[Reference]:
        for each in self.importers(symbol.path):
            unit = self.snapshot.unit(each.path)
            for row in unit.record.imports if unit else ():
                if unit and row.line == each.line and row.name == each.name and self._target(unit, row) == symbol.path:
                    yield self._import_reference(unit, row, symbol)

    def _import_reference(self, unit: Unit, row: ImportRow, target: Symbol) -> Reference:
        return self._at(unit, row.line, row.column, IMPORT, row.scope, target)

    def _reference(self, unit: Unit, place: int, target: Symbol | None, *, certain: bool = True) -> Reference:
        line, column, tag = unit.record.uses[place * 3 : place * 3 + 3]
        return self._at(unit, line, column, tag & 15, (tag >> 4) - 1, target, certain=certain)

    def _at(
        self, unit: Unit, line: int, column: int, kind: int, owner: int, target: Symbol | None, *, certain: bool = True
    ) -> Reference:
        lines = self.lines(unit.path)
        text = lines[line - 1] if line <= len(lines) else ""
        if not text.isascii():
            column = len(text.encode()[:column].decode("utf-8", "replace"))
        symbol = self.snapshot.symbol(unit.path, owner) if owner >= 0 else None
        return Reference(unit.path, line, column, KINDS[kind], text.strip(), symbol, target, certain)

    # who uses it, what it uses

    def callers(self, symbol: Symbol, depth: int = 1) -> list[Reference]:
        """Calls of a symbol; with a depth over 1 also the calls of the functions that call it, and so on."""
        return self._spread(symbol, depth, lambda each: self.references(each, ("call", "decorator")), _enclosing)

    def callees(self, symbol: Symbol, depth: int = 1) -> list[Reference]:
        """Calls inside a symbol of what the codebase defines; `target` says what is called."""
        return self._spread(symbol, depth, lambda each: self.uses_in(each, (CALL,)), lambda each: each.target)

    def _spread(
        self,
        symbol: Symbol,
        depth: int,
        neighbours: Callable[[Symbol], list[Reference]],
        far_end: Callable[[Reference], Symbol | None],
    ) -> list[Reference]:
        found: list[Reference] = []
        seen, edge = {symbol}, [symbol]
        for _step in range(depth):
            fresh = [each for one in edge for each in neighbours(one)]
            found.extend(fresh)
            edge = list(dict.fromkeys(end for each in fresh if (end := far_end(each)) and end not in seen))
            seen.update(edge)
        return list(dict.fromkeys(found))

    def uses_in(self, symbol: Symbol, kinds: Iterable[int] | None = None) -> list[Reference]:
        """What a symbol's own text uses of the codebase, definitions inside it included, in source order."""
        unit = self.snapshot.unit(symbol.path)
        if unit is None:
            return []
        wanted = None if kinds is None else set(kinds)
        found = []
        for owner in self._inside(unit, symbol.index):
            for number, place in unit.by_owner.get(owner, ()):
                if wanted is not None and unit.record.uses[place * 3 + 2] & 15 not in wanted:
                    continue
                target = self.target_of(unit, unit.record.chains[number])
                if target is not None and target != symbol:
                    found.append(self._reference(unit, place, target))
        return sorted(found, key=lambda each: (each.line, each.column))

    def target_of(self, unit: Unit, chain: str) -> Symbol | None:
        """The definition that a chain in a file means."""
        found = self.snapshot.resolver.resolve(unit, chain)
        return self.snapshot.symbol(found.path, found.index) if found else None

    def _inside(self, unit: Unit, index: int) -> Iterator[int]:
        yield index
        for group in unit.members.get(index, {}).values():
            for each in group:
                yield from self._inside(unit, each)

    # classes

    def subclasses(self, symbol: Symbol, *, direct: bool = False) -> list[Symbol]:
        """Classes that derive from a class, through others as well unless `direct`."""
        references = self._spread(symbol, 1 if direct else _ALL, lambda each: self.references(each, ("base",)), _owner)
        found = dict.fromkeys(each.symbol for each in references if each.symbol is not None and each.symbol != symbol)
        return sorted(found, key=lambda each: (each.path, each.line))

    def bases(self, symbol: Symbol) -> list[Symbol]:
        """The classes that a class derives from, in the order in which attributes are looked up."""
        order = self.snapshot.resolver.ancestry(Entity(symbol.path, symbol.index))[1:] if symbol.kind == "class" else []
        return [found for each in order if (found := self.snapshot.symbol(each.path, each.index))]

    def members(self, symbol: Symbol) -> list[Symbol]:
        """What a class, function or module defines directly, in source order."""
        unit = self.snapshot.unit(symbol.path)
        groups = unit.members.get(symbol.index, {}).values() if unit else ()
        found = [self.snapshot.symbol(symbol.path, index) for group in groups for index in group]
        return sorted((each for each in found if each), key=lambda each: (each.line, each.column))

    def symbols_in(self, path: str) -> list[Symbol]:
        """Every definition in a file, in source order."""
        unit = self.snapshot.unit(path)
        found = [self.snapshot.symbol(path, index) for index in range(len(unit.record.symbols))] if unit else []
        return sorted((each for each in found if each), key=lambda each: (each.line, each.column))

    # words

    def similar(self, symbol: Symbol, limit: int) -> list[tuple[Symbol, float]]:
        """Definitions of the same kind that are about the same words, with a likeness from 0 to 1."""
        unit = self.snapshot.unit(symbol.path)
        words = words_of_definitions(unit).get(symbol.index) if unit else None
        if not words:
            return []
        scores = self.snapshot.lexicon.score({word: float(min(count, _MAX_WEIGHT)) for word, count in words.items()})
        own = scores.pop((symbol.path, symbol.index), 0.0)
        ranked = sorted(scores.items(), key=lambda each: (-round(each[1], 6), each[0]))
        alike = ((self.snapshot.symbol(*place), score) for place, score in ranked)
        kinds = _FUNCTIONS if symbol.kind in _FUNCTIONS else (symbol.kind,)
        wanted = ((found, score) for found, score in alike if found and found.kind in kinds)
        return [(found, round(min(score / own, 1.0), 4)) for found, score in islice(wanted, limit)]

    # imports

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
                yield Import(path, row.line, module, row.name, self._target(unit, row), lazy=unit.is_lazy(row))

    def _target(self, unit: Unit, row: ImportRow) -> str | None:
        """The file that an import names: the module itself, or the package that it is taken from."""
        resolver = self.snapshot.resolver
        if not row.name:
            return self.snapshot.modules.find(row.module, unit.path)
        found = resolver.imported(unit, row) if row.name != "*" else None
        if found is not None and found.index < 0:
            return found.path
        return resolver.module_of(unit, row)


_ALL = 1000
_MAX_WEIGHT = 16
_FUNCTIONS = ("function", "method")


def _fits(symbol: Symbol, name: str) -> bool:
    qualified = symbol.qualified_name
    return name in (symbol.name, qualified) or qualified.endswith((f".{name}", f":{name}", f"/{name}"))


def _enclosing(reference: Reference) -> Symbol | None:
    return reference.symbol if reference.symbol and reference.symbol.kind in ("function", "method") else None


def _owner(reference: Reference) -> Symbol | None:
    return reference.symbol
