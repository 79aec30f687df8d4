"""One state of a codebase: what is known about each file, and which names occur where. It never changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from contexten.codebase.languages import PYTHON
from contexten.codebase.lexicon import Lexicon
from contexten.codebase.model import File, Problem, Symbol
from contexten.codebase.modules import Modules
from contexten.codebase.record import Outline, decode
from contexten.codebase.resolve import Resolver
from contexten.codebase.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contexten.codebase.questions import Questions
    from contexten.codebase.walk import Stamp

Names = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept about a file."""

    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since the epoch."""
    digest: bytes
    """Of the file's content."""
    data: bytes
    """The encoded record."""
    outline: Outline


class Kept(NamedTuple):
    """An entry, and the stamp by which its file is known to be the same still."""

    stamp: Stamp | None
    """None when the file may have changed without its stamp showing it: look at the content again."""
    entry: Entry


class Snapshot:
    """One state of a codebase."""

    def __init__(self, entries: Mapping[str, Entry], defined: Names, used: Names, modules: Modules) -> None:
        self.entries = entries
        self.defined = defined
        self.used = used
        self.modules = modules
        self.resolver = Resolver(self.unit, modules, defined)
        self.problems: tuple[Problem, ...] = ()
        self.questions: Questions | None = None
        """Who asks; found again through `File.origin` and `Symbol.origin`."""
        self._units: dict[str, Unit] = {}
        self._lexicon: Lexicon | None = None
        self._lexicon_before: tuple[Lexicon, frozenset[str]] = (Lexicon(), frozenset(entries))

    @classmethod
    def empty(cls) -> Snapshot:
        """The state before anything was read."""
        return cls({}, {}, {}, Modules(()))

    def changed(self, fresh: Mapping[str, Entry], removed: Iterable[str]) -> Snapshot:
        """The state after some files were added or changed (`fresh`) and others removed."""
        gone = set(removed)
        entries = {path: each for path, each in self.entries.items() if path not in gone}
        same_paths = not gone and fresh.keys() <= entries.keys()
        entries.update(fresh)
        touched = gone | fresh.keys()
        before = {path: self.entries[path].outline for path in touched if path in self.entries}
        after = {path: each.outline for path, each in fresh.items()}
        new = Snapshot(
            entries,
            _renamed(self.defined, {p: o.defined for p, o in before.items()}, {p: o.defined for p, o in after.items()}),
            _renamed(self.used, {p: o.used for p, o in before.items()}, {p: o.used for p, o in after.items()}),
            self.modules if same_paths else Modules(entries),
        )
        before_lexicon, missing = (self._lexicon, frozenset[str]()) if self._lexicon else self._lexicon_before
        new._lexicon_before = before_lexicon, missing | touched
        for path, unit in list(self._units.items()):
            if path not in touched:
                new._units[path] = Unit(path, new.modules.names.get(path, ""), unit.record)
        return new

    def unit(self, path: str) -> Unit | None:
        """A file's record with its lookups; None when there is no such file."""
        found = self._units.get(path)
        if found is None and path in self.entries:
            record = decode(self.entries[path].data)
            found = self._units.setdefault(path, Unit(path, self.modules.names.get(path, ""), record))
        return found

    @property
    def lexicon(self) -> Lexicon:
        """The words of the definitions; made when first asked for, from the one of an earlier state if there is one."""
        if self._lexicon is None:
            before, touched = self._lexicon_before
            self._lexicon = before.following(self, touched)
        return self._lexicon

    def file(self, path: str) -> File | None:
        """A file by its path."""
        entry = self.entries.get(path)
        if entry is None:
            return None
        outline = entry.outline
        module = self.modules.names.get(path, "")
        return File(path, outline.language, outline.lines, entry.size, module, entry.modified / 1e9, self.questions)

    def symbol(self, path: str, index: int) -> Symbol | None:
        """A definition by its place; index -1 is the module itself."""
        unit = self.unit(path)
        if unit is None:
            return None
        if index < 0:
            return self._module(unit)
        row = unit.symbol(index)
        return Symbol(
            name=row.name,
            qualified_name=self.qualified(unit, index),
            kind=row.kind,
            path=path,
            line=row.line,
            end_line=row.end_line,
            signature=row.signature,
            docstring=row.docstring,
            decorators=tuple(row.decorators),
            parent=self.qualified(unit, row.parent) if row.parent >= 0 else None,
            column=row.column,
            index=index,
            origin=self.questions,
        )

    def qualified(self, unit: Unit, index: int) -> str:
        """Dotted name of a definition, the module's name (or the file's path) in front."""
        name = unit.local_names[index] if index >= 0 else ""
        if unit.record.language != PYTHON:
            return f"{unit.path}:{name}" if name else unit.path
        return ".".join(part for part in (unit.module, name) if part) or unit.path

    def _module(self, unit: Unit) -> Symbol:
        name = self.qualified(unit, -1)
        record = unit.record
        short = name.rpartition(".")[2] if record.language == PYTHON else name
        return Symbol(
            short, name, "module", unit.path, 1, max(record.lines, 1), docstring=record.docstring, origin=self.questions
        )


def _renamed(names: Names, before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> Names:
    """Which files have each name, after some files' names changed."""
    result = dict(names)
    lost: dict[str, set[str]] = {}
    gained: dict[str, list[str]] = {}
    for path, owned in before.items():
        for name in owned:
            lost.setdefault(name, set()).add(path)
    for path, owned in after.items():
        for name in owned:
            gained.setdefault(name, []).append(path)
    for name in lost.keys() | gained.keys():
        kept = set(result.get(name, ())) - lost.get(name, set())
        paths = tuple(sorted(kept.union(gained.get(name, ()))))
        if paths:
            result[name] = paths
        else:
            result.pop(name, None)
    return result
