"""What a chain stands for: through scopes, imports, re-exports, classes and what is known about types."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from contexten.codebase.languages import FAMILIES, PYTHON, language_of
from contexten.codebase.record import UNKNOWN
from contexten.codebase.scopes import split_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contexten.codebase.modules import Modules
    from contexten.codebase.record import ImportRow
    from contexten.codebase.unit import Unit

_MAX_DEPTH = 60
_PROPERTIES = ("property", "cached_property", "functools.cached_property")


class Trail:
    """What is being resolved at the moment, so that a circle ends."""

    def __init__(self) -> None:
        self.active: set[object] = set()
        self.cut = False
        """Whether a circle was met: then only the outermost answer is sure."""

    @contextmanager
    def step(self, key: object) -> Iterator[bool]:
        """Go one step further; False when the step was already under way."""
        if key in self.active or len(self.active) >= _MAX_DEPTH:
            self.cut = True
            yield False
            return
        self.active.add(key)
        try:
            yield True
        finally:
            self.active.discard(key)


class Entity(NamedTuple):
    """A module (symbol -1), a definition, or an instance of a class."""

    path: str
    symbol: int
    instance: bool = False


class Resolver:
    """Answers for one state of the codebase; what it has found out it remembers in the units."""

    def __init__(
        self, unit: Callable[[str], Unit | None], modules: Modules, defined: Mapping[str, Sequence[str]]
    ) -> None:
        self._unit = unit
        self._modules = modules
        self._defined = defined
        self._orders: dict[Entity, list[Entity]] = {}

    def resolve(self, unit: Unit, chain: str, trail: Trail | None = None) -> Entity | None:
        """What a chain stands for in a file, or None when that is not part of the codebase or not known."""
        if chain in unit.answers:
            return unit.answers[chain]
        if not chain or chain[0] == UNKNOWN:
            return None
        trail = trail or Trail()
        with trail.step((unit.path, chain)) as fresh:
            if unit.record.language != PYTHON:
                found = self._by_name(unit, chain)
            else:
                found = self._steps(unit, chain, trail) if fresh else None
        if not trail.cut or not trail.active:
            unit.answers[chain] = found
        return found

    def _steps(self, unit: Unit, chain: str, trail: Trail) -> Entity | None:
        if chain.endswith("()"):
            value = self.resolve(unit, chain[:-2], trail)
            return value and self.call(value, trail)
        head, dot, name = chain.rpartition(".")
        if not dot:
            return self._root(unit, chain, trail)
        if head[0] == "^" and head[1:].isdigit():
            return self._inherited(unit, int(head[1:]), name, trail)
        value = self.resolve(unit, head, trail)
        return value and self.member(value, name, trail)

    def _by_name(self, unit: Unit, name: str) -> Entity | None:
        """The one definition of a name in the file, else in its folder, else in the files of its language."""
        family = FAMILIES.get(unit.record.language, unit.record.language)
        paths = [
            path
            for path in self._defined.get(name, ())
            if FAMILIES.get(language := language_of(path) or "", language) == family
        ]
        folder = unit.path.rpartition("/")[0]
        for group in ([unit.path], [path for path in paths if path.rpartition("/")[0] == folder], paths):
            found = [(path, index) for path in group if path in paths for index in self._named(path, name)]
            if found:
                return Entity(*found[0]) if len(found) == 1 or group == [unit.path] else None
        return None

    def _named(self, path: str, name: str) -> list[int]:
        unit = self._unit(path)
        return [index for index, row in enumerate(unit.record.symbols) if row.name == name] if unit else []

    def _root(self, unit: Unit, root: str, trail: Trail) -> Entity | None:
        if root[0] == "@":
            return Entity(unit.path, int(root[1:]), instance=True)
        if root[0] == "#":
            return Entity(unit.path, int(root[1:]))
        if root[0] == "%":
            return self.imported(unit, unit.record.imports[int(root[1:])], trail)
        return None if root[0] == "^" else self.global_name(unit, root, trail)

    def global_name(self, unit: Unit, name: str, trail: Trail | None = None) -> Entity | None:
        """What a name of a module stands for."""
        trail = trail or Trail()
        for row in unit.imports.get(name, ()):
            found = self.imported(unit, row, trail)
            if found is not None:
                return found
        defined = unit.members.get(-1, {}).get(name)
        if defined:
            return Entity(unit.path, defined[0])
        return self._from_star(unit, name, trail)

    def _from_star(self, unit: Unit, name: str, trail: Trail) -> Entity | None:
        for row in unit.imports.get("*", ()):
            other = self.module_of(unit, row)
            target = self._unit(other) if other else None
            if target is None or target is unit or not _exported(target, name):
                continue
            found = self.resolve(target, name, trail)
            if found is not None:
                return found
        return None

    def imported(self, unit: Unit, row: ImportRow, trail: Trail | None = None) -> Entity | None:
        """What an import binds its name to."""
        if not row.name:
            module = row.module if row.bound != row.module.partition(".")[0] else row.bound
            path = self._modules.find(module, unit.path)
            return Entity(path, -1) if path else None
        path = self.module_of(unit, row)
        if path is None:
            return self._submodule(unit, row)
        if path == unit.path and row.bound == row.name:
            return self._submodule(unit, row)
        target = self._unit(path)
        found = target and self.resolve(target, row.name, trail)
        return found or self._submodule(unit, row)

    def module_of(self, unit: Unit, row: ImportRow) -> str | None:
        """The file that an import takes names from."""
        if row.level:
            return self._modules.at(self._modules.relative(row.module, row.level, unit.path))
        return self._modules.find(row.module, unit.path)

    def _submodule(self, unit: Unit, row: ImportRow) -> Entity | None:
        path = self.submodule(unit, row)
        return Entity(path, -1) if path else None

    def submodule(self, unit: Unit, row: ImportRow) -> str | None:
        """The file of `a.b` for `from a import b`, if there is one."""
        if row.name == "*":
            return None
        if not row.level:
            return self._modules.find(f"{row.module}.{row.name}", unit.path)
        place = self._modules.relative(row.module, row.level, unit.path)
        return self._modules.at(f"{place}/{row.name}" if place else row.name)

    def member(self, entity: Entity, name: str, trail: Trail | None = None) -> Entity | None:
        """The attribute of a module, class, instance or variable."""
        unit = self._unit(entity.path)
        if unit is None:
            return None
        if entity.symbol < 0:
            return self.resolve(unit, name, trail) or self._child_module(unit, name)
        if unit.symbol(entity.symbol).kind == "class":
            return self._class_member(entity, name, trail)
        value = self.value(entity, trail)
        return self.member(value, name, trail) if value and value != entity else None

    def _child_module(self, unit: Unit, name: str) -> Entity | None:
        place, _slash, last = unit.path.rpartition("/")
        path = self._modules.at(f"{place}/{name}" if place else name) if last.startswith("__init__.") else None
        return Entity(path, -1) if path else None

    def _class_member(self, entity: Entity, name: str, trail: Trail | None) -> Entity | None:
        for each in self.ancestry(entity, trail):
            unit = self._unit(each.path)
            found = unit.members.get(each.symbol, {}).get(name) if unit else None
            if found:
                return Entity(each.path, found[0])
        return None

    def _inherited(self, unit: Unit, index: int, name: str, trail: Trail | None) -> Entity | None:
        for each in self.ancestry(Entity(unit.path, index), trail)[1:]:
            other = self._unit(each.path)
            found = other.members.get(each.symbol, {}).get(name) if other else None
            if found:
                return Entity(each.path, found[0])
        return None

    def ancestry(self, entity: Entity, trail: Trail | None = None) -> list[Entity]:
        """A class and its bases in the order in which Python looks attributes up."""
        own = Entity(entity.path, entity.symbol)
        if own in self._orders:
            return self._orders[own]
        trail = trail or Trail()
        with trail.step(own) as fresh:
            above = [self.ancestry(base, trail) for base in self.bases(own, trail)] if fresh else []
        order = [own, *(each for each in _merged(above) if each != own)]
        if not trail.cut or not trail.active:
            self._orders[own] = order
        return order

    def bases(self, entity: Entity, trail: Trail | None = None) -> list[Entity]:
        """The base classes that are part of the codebase."""
        unit = self._unit(entity.path)
        if unit is None:
            return []
        found = (self.resolve(unit, chain, trail) for chain in unit.symbol(entity.symbol).bases)
        return [each for each in found if each and each != entity and self._kind(each) == "class"]

    def value(self, entity: Entity, trail: Trail | None = None) -> Entity | None:
        """What a variable, an attribute or a property holds."""
        unit = self._unit(entity.path)
        if unit is None or entity.symbol < 0:
            return None
        row = unit.symbol(entity.symbol)
        plain = row.kind in ("variable", "attribute") or any(each in _PROPERTIES for each in row.decorators)
        return self.resolve(unit, row.type, trail) if plain else None

    def call(self, entity: Entity, trail: Trail | None = None) -> Entity | None:
        """What calling something gives."""
        unit = self._unit(entity.path)
        if unit is None or entity.symbol < 0:
            return None
        row = unit.symbol(entity.symbol)
        if row.kind == "class":
            if not entity.instance:
                return entity._replace(instance=True)
            method = self._class_member(entity, "__call__", trail)
            return self.call(method, trail) if method else entity
        if row.kind in ("function", "method"):
            return self._returned(unit, entity, trail)
        value = self.value(entity, trail)
        return self.call(value, trail) if value and value != entity else None

    def _returned(self, unit: Unit, entity: Entity, trail: Trail | None) -> Entity | None:
        row = unit.symbol(entity.symbol)
        if row.type == "Self()" or split_root(row.type)[0].endswith("Self"):
            return Entity(entity.path, row.parent, instance=True) if row.parent >= 0 else None
        return self.resolve(unit, row.type, trail) if row.type else None

    def _kind(self, entity: Entity) -> str:
        unit = self._unit(entity.path)
        return unit.symbol(entity.symbol).kind if unit and entity.symbol >= 0 else "module"


def _exported(unit: Unit, name: str) -> bool:
    return name in unit.record.exports if unit.record.exports is not None else not name.startswith("_")


def _merged(orders: list[list[Entity]]) -> list[Entity]:
    """C3 linearization; where the bases contradict each other, the first mention counts."""
    waiting = [order for order in ([*orders, [order[0] for order in orders]]) if order]
    result: list[Entity] = []
    while waiting:
        heads = [order[0] for order in waiting]
        good = next((head for head in heads if not any(head in order[1:] for order in waiting)), heads[0])
        result.append(good)
        waiting = [rest for order in waiting if (rest := [each for each in order if each != good])]
    return result
