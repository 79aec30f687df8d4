"""Questions about symbols: how to find them, who uses them, what they use, what is like them."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from contexten.codebase.lexicon import words_of_definitions
from contexten.codebase.record import CALL
from contexten.codebase.resolve import Entity
from contexten.codebase.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contexten.codebase.imports import Imports
    from contexten.codebase.model import Reference, Symbol
    from contexten.codebase.snapshot import Snapshot
    from contexten.codebase.unit import Unit


class Questions(Uses):
    """Answers from one state of a codebase.

    Args:
        snapshot: the state that is asked.
        lines: gives a file's source lines.
        before: the imports of an earlier state.
    """

    def __init__(self, snapshot: Snapshot, lines: Callable[[str], list[str]], before: Imports | None = None) -> None:
        super().__init__(snapshot, lru_cache(maxsize=64)(lines), before)
        snapshot.questions = self

    # finding

    def symbols(self, name: str) -> list[Symbol]:
        """Definitions by simple name, qualified name or its end, or by what a package hands on.

        Upper and lower case are taken for the same when nothing fits exactly; overloads are one definition.
        """
        found = self.named(name) or self._handed_on(name)
        if not found:
            found = [each for other in self._other_spellings(name) for each in self.named(other)]
        found = [each for each in found if self._is_main(each)]
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

    def _handed_on(self, name: str) -> list[Symbol]:
        """What a dotted name means where a module only imports it: `click.echo` for what stands in `click.utils`."""
        found: dict[Symbol, None] = {}
        for path, module in self.snapshot.modules.names.items():
            for head in _heads(name):
                unit = self.snapshot.unit(path) if f".{module}".endswith(f".{head}") else None
                target = self.target_of(unit, name[len(head) + 1 :]) if unit else None
                found.update({target: None} if target else {})
        return list(found)

    def _is_main(self, symbol: Symbol) -> bool:
        """Whether a definition is not one of several overloads that another stands for."""
        unit = self.snapshot.unit(symbol.path)
        return unit is None or symbol.index < 0 or unit.implementation(symbol.index) == symbol.index

    def _other_spellings(self, name: str) -> Iterable[str]:
        head, dot, last = name.rpartition(".")
        wanted = last.casefold()
        known = {each for each in self.snapshot.defined if each.casefold() == wanted and each != last}
        return [f"{head}{dot}{each}" for each in sorted(known)]

    def line(self, path: str, number: int) -> str:
        """A line of a file without its indentation; empty when the file has become shorter."""
        lines = self.lines(path)
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

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
        return self.snapshot.symbol(found.path, found.symbol) if found else None

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
        return [found for each in order if (found := self.snapshot.symbol(each.path, each.symbol))]

    def members(self, symbol: Symbol) -> list[Symbol]:
        """What a class, function or module defines directly, in source order; overloads are one definition."""
        unit = self.snapshot.unit(symbol.path)
        groups = unit.members.get(symbol.index, {}).values() if unit else ()
        found = [self.snapshot.symbol(symbol.path, index) for group in groups for index in group]
        return sorted(
            (each for each in found if each and self._is_main(each)), key=lambda each: (each.line, each.column)
        )

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
        wanted = ((found, score) for found, score in alike if found and found.kind in kinds and self._is_main(found))
        return [(found, round(min(score / own, 1.0), 4)) for found, score in islice(wanted, limit)]


_ALL = 1000
_MAX_WEIGHT = 16
_FUNCTIONS = ("function", "method")


def _fits(symbol: Symbol, name: str) -> bool:
    qualified = symbol.qualified_name
    return name in (symbol.name, qualified) or qualified.endswith((f".{name}", f":{name}", f"/{name}"))


def _heads(name: str) -> list[str]:
    """What stands before each dot of a name, the longest first; nothing when it is not one of Python's."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return []
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def _enclosing(reference: Reference) -> Symbol | None:
    return reference.symbol if reference.symbol and reference.symbol.kind in ("function", "method") else None


def _owner(reference: Reference) -> Symbol | None:
    return reference.symbol
