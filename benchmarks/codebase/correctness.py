"""References of the index against those of a type-aware language server, on a sample of symbols.

Where the two differ, the server is asked once more, in another way: what stands at the disputed place? Its search for
references only looks at places that are spelled like the symbol; its way to the definition follows other names too.

Usage: correctness.py FOLDER SYMBOLS_OF_EACH_KIND TY [--seed N] [--examples]
"""

from __future__ import annotations

import argparse
import random
import re
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
CONFIRMED, REFUTED, OPEN = "confirmed", "refuted", "not told"


@dataclass
class Table:
    """Counts of one group of symbols."""

    symbols: int = 0
    agreed: int = 0
    ours: int = 0
    theirs: int = 0
    extra: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What only we have, by the kind of place and the verdict on it."""
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of our references that the server has too."""
        return self.agreed / self.ours if self.ours else 1.0

    @property
    def adjudicated_precision(self) -> float:
        """The same with those that the server confirms when asked what stands there."""
        return (self.agreed + _count(self.extra, CONFIRMED)) / self.ours if self.ours else 1.0

    @property
    def recall(self) -> float:
        """Share of the server's references that we have too."""
        return self.agreed / self.theirs if self.theirs else 1.0

    @property
    def adjudicated_recall(self) -> float:
        """The same with those that only we have and the server confirms, without those that it takes back."""
        known = self.agreed + _count(self.extra, CONFIRMED)
        every = known + self.theirs - self.agreed - _count(self.missed, REFUTED)
        return known / every if every else 1.0


def _count(found: Counter[tuple[str, str]], verdict: str) -> int:
    return sum(number for (_kind, each), number in found.items() if each == verdict)


class Comparison:
    """One project's sample, counted into one table for each group: symbols of modules, members of classes."""

    def __init__(self, codebase: Codebase, server: LanguageServer) -> None:
        self.codebase = codebase
        self.server = server
        self.tables = {"module-level": Table(), "members": Table()}

    def run(self, count: int, seed: int) -> dict[str, Table]:
        """Compare the references of so many symbols of each group."""
        for group, symbols in _sample(self.codebase, count, seed).items():
            for symbol in symbols:
                self.one(symbol, self.tables[group])
        return self.tables

    def one(self, symbol: Symbol, table: Table) -> None:
        """Compare the references of one symbol."""
        line = self.codebase.source(symbol.path, symbol.line, symbol.line)
        found = re.compile(rf"\b{re.escape(symbol.name)}\b").search(line, symbol.column)
        if found is None:
            return
        definitions = {(each.path, each.line) for each in self.codebase.questions.named(symbol.qualified_name)}
        theirs = self.server.references(symbol.path, symbol.line, found.start())
        theirs = {each for each in theirs if each[:2] not in definitions}
        ours = {(each.path, each.line, each.column): each.kind for each in self.codebase.references(symbol)}
        ours = {place: kind for place, kind in ours.items() if place[:2] not in definitions}
        table.symbols += 1
        table.agreed += len(ours.keys() & theirs)
        table.ours += len(ours)
        table.theirs += len(theirs)
        for place in sorted(ours.keys() ^ theirs):
            self.judge(symbol, place, ours.get(place, "missed"), definitions, table)

    def judge(self, symbol: Symbol, place: Place, what: str, definitions: set[tuple[str, int]], table: Table) -> None:
        """Ask the server what stands at a disputed place, and count the answer."""
        path, line, column = place
        text = self.codebase.source(path, line, line)
        if what == "export":  # what the module holds under that name when it has run
            name = re.match(r"\w+", text[column:])
            meant = self.server.meaning_at_end(path, name[0] if name else "")
        else:
            meant = self.server.meaning(path, line, column)
        verdict = OPEN if not meant else CONFIRMED if meant & definitions else REFUTED
        kind = _class_of(text, column, symbol, what)
        (table.missed if what == "missed" else table.extra)[kind, verdict] += 1
        where = f"{symbol.qualified_name} at {path}:{line}:{column}"
        table.examples.append(f"{what} ({kind}, {verdict}): {where}: {text.strip()[:80]}")


def _sample(codebase: Codebase, count: int, seed: int) -> dict[str, list[Symbol]]:
    every = [each for file in codebase.files for each in codebase.symbols_in(file.path) if each.name.isidentifier()]
    every = [each for each in every if not each.name.startswith("__")]
    groups = {
        "module-level": [each for each in every if each.parent is None],
        "members": [each for each in every if each.kind in ("method", "attribute")],
    }
    chosen = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return {name: chosen.sample(group, min(count, len(group))) for name, group in groups.items()}


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


def report(group: str, table: Table) -> None:
    """Print one group's part of the table."""
    print(
        f"  references against ty, {group}: {table.symbols} symbols"
        f"\n    raw: precision {table.precision:.3f}, recall {table.recall:.3f}"
        f" (ours {table.ours}, theirs {table.theirs}, agreed {table.agreed})"
        f"\n    adjudicated: precision {table.adjudicated_precision:.3f}, recall {table.adjudicated_recall:.3f}"
    )
    for what, found in (("only ours", table.extra), ("only theirs", table.missed)):
        for (kind, verdict), number in sorted(found.items()):
            print(f"    {what}: {number:4} {kind}: {verdict}")


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("symbols", type=int, help="how many of each group")
    parser.add_argument("ty", help="path of the program")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample")
    parser.add_argument("--examples", action="store_true", help="every place on which the two differ")
    arguments = parser.parse_args()
    codebase = Codebase.from_path(arguments.folder, cache=None, include=["*.py"])
    with LanguageServer([arguments.ty, "server"], codebase.root) as server:
        tables = Comparison(codebase, server).run(arguments.symbols, arguments.seed)
    for group, table in tables.items():
        report(group, table)
        if arguments.examples:
            print("\n".join(f"      {each}" for each in table.examples))


if __name__ == "__main__":
    main()
