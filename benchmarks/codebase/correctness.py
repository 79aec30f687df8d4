"""References of the index against those of a type-aware language server, on a sample of symbols.

Usage: correctness.py FOLDER SYMBOLS_OF_EACH_KIND TY [--examples]
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from language_server import LanguageServer

from contexten.codebase import Codebase

if TYPE_CHECKING:
    from contexten.codebase import Symbol

Place = tuple[str, int, int]
SEED = 20261121
EXPORT, ALIAS = "name in __all__", "use under the name that an import gives it"


@dataclass
class Table:
    """Counts of one group of symbols."""

    symbols: int = 0
    agreed: int = 0
    ours: int = 0
    theirs: int = 0
    extra: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of our references that the server has too."""
        return self.agreed / self.ours if self.ours else 1.0

    @property
    def precision_of_same_kind(self) -> float:
        """The same without what the server does not look for: names in `__all__`, and other names given by imports."""
        ours = self.ours - self.extra[EXPORT] - self.extra[ALIAS]
        return self.agreed / ours if ours else 1.0

    @property
    def recall(self) -> float:
        """Share of the server's references that we have too."""
        return self.agreed / self.theirs if self.theirs else 1.0


def compare(root: Path, server: list[str], count: int) -> dict[str, Table]:
    """Tables by group: symbols of modules, members of classes."""
    codebase = Codebase.from_path(root, cache=None, include=["*.py"])
    tables = {"module-level": Table(), "members": Table()}
    with LanguageServer(server, codebase.root) as language_server:
        for group, symbols in _sample(codebase, count).items():
            for symbol in symbols:
                _compare_one(codebase, language_server, symbol, tables[group])
    return tables


def _sample(codebase: Codebase, count: int) -> dict[str, list[Symbol]]:
    every = [each for file in codebase.files for each in codebase.symbols_in(file.path) if each.name.isidentifier()]
    every = [each for each in every if not each.name.startswith("__")]
    groups = {
        "module-level": [each for each in every if each.parent is None],
        "members": [each for each in every if each.kind in ("method", "attribute")],
    }
    chosen = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    return {name: chosen.sample(group, min(count, len(group))) for name, group in groups.items()}


def _compare_one(codebase: Codebase, server: LanguageServer, symbol: Symbol, table: Table) -> None:
    line = codebase.source(symbol.path, symbol.line, symbol.line)
    found = re.compile(rf"\b{re.escape(symbol.name)}\b").search(line, symbol.column)
    if found is None:
        return
    definitions = {(each.path, each.line) for each in codebase.symbols(symbol.qualified_name)}
    theirs = server.references(symbol.path, symbol.line, found.start())
    theirs = {each for each in theirs if (each[0], each[1]) not in definitions}
    ours = {(each.path, each.line, each.column): each.kind for each in codebase.references(symbol)}
    ours = {place: kind for place, kind in ours.items() if place[:2] not in definitions}
    table.symbols += 1
    table.agreed += len(ours.keys() & theirs)
    table.ours += len(ours)
    table.theirs += len(theirs)
    for place in sorted(theirs - ours.keys()):
        _note(codebase, symbol, place, "missed", table)
    for place in sorted(ours.keys() - theirs):
        _note(codebase, symbol, place, ours[place], table)


def _note(codebase: Codebase, symbol: Symbol, place: Place, what: str, table: Table) -> None:
    path, line, column = place
    text = codebase.source(path, line, line)
    kind = _class_of(text, column, symbol, what)
    (table.missed if what == "missed" else table.extra)[kind] += 1
    table.examples.append(f"{what} ({kind}): {symbol.qualified_name} at {path}:{line}:{column}: {text.strip()[:80]}")


def _class_of(text: str, column: int, symbol: Symbol, what: str) -> str:
    if what == "export":
        return EXPORT
    if not text[column:].startswith(symbol.name):
        return ALIAS
    if column > 0 and text[column - 1] in "'\"":
        return "name in a string"
    if re.match(r"\s*global\b", text):
        return "name in a global statement"
    if column > 0 and text[column - 1] == ".":
        return "after a dot"
    return "import" if re.match(r"\s*(from|import)\b", text) else "plain name"


if __name__ == "__main__":
    for name, table in compare(Path(sys.argv[1]), [sys.argv[3], "server"], int(sys.argv[2])).items():
        print(
            f"  references against ty, {name}: {table.symbols} symbols, precision {table.precision:.3f} "
            f"({table.precision_of_same_kind:.3f} without what it does not look for), recall {table.recall:.3f}"
        )
        print(f"    ours {table.ours}, theirs {table.theirs}, agreed {table.agreed}")
        print(f"    missed {dict(table.missed)}\n    extra {dict(table.extra)}")
        if "--examples" in sys.argv:
            print("\n".join(f"      {each}" for each in table.examples))
