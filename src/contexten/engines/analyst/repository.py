"""What the tools stand on: one repository, its index, and the text and bodies of its files."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from contexten.codebase import tags
from contexten.engines.analyst import bodies, documents
from contexten.engines.analyst.descriptions import CALL_LENGTH, called_as
from contexten.engines.analyst.lookup import Lookup
from contexten.engines.analyst.manifests import Manifests
from contexten.engines.analyst.markdown import counted, joined
from contexten.engines.analyst.paths import language_name, language_not_indexed
from contexten.engines.workspace import read_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from contexten.codebase import Codebase, Reference, Symbol, TextMatch
    from contexten.engines.analyst.lookup import Found

_SOURCE_BYTES = 4 * 1024 * 1024


class Repository:
    """One repository and its index."""

    def __init__(self, workspace: Path, name: str, codebase: Codebase) -> None:
        self.workspace = workspace
        self.name = name
        self.codebase = codebase
        self._lookup = Lookup(workspace, codebase)
        self._texts: dict[str, str] = {}
        self._bodies: dict[str, dict[int, bodies.Body]] = {}

    def resolve(self, phrase: str) -> str | None:
        """The name in the code that a phrase stands for, or None. A plain word such as `threads` is not `THREADS`."""
        found = self.find(phrase)
        shouted = phrase.isalpha() and phrase.islower() and found.name.isupper()
        return found.name if found and not shouted else None

    def find(self, text: str) -> Found:
        """What a name, path, dotted name, `path:line`, `path::name`, or phrase (`refund order`) stands for."""
        return self._lookup.find(text)

    def near(self, name: str) -> list[str]:
        """Names in the code that are spelled like `name`, or made of its words; the nearest first."""
        return self._lookup.near(name)

    def references(self, symbol: Symbol, kinds: Collection[str] | None = None) -> list[Reference]:
        """Where a symbol is used; in languages other than Python, whose imports are not followed, by its name alone."""
        return self.codebase.references(symbol, kinds, possible=self.language(symbol.path) != "python")

    @cached_property
    def rank(self) -> list[tuple[str, float]]:
        """Files by importance, the most important first."""
        return self.codebase.rank()

    def search_text(
        self, needle: str, *, limit: int = 200, regex: bool = False, ignore_case: bool = True
    ) -> list[TextMatch]:
        """Lines that hold a text, in code first, then in the other text files."""
        found = self.codebase.search_text(needle, limit=limit, regex=regex, ignore_case=ignore_case)
        if len(found) < limit:
            code = {file.path for file in self.codebase.files}
            pattern = re.compile(needle if regex else re.escape(needle), re.IGNORECASE if ignore_case else 0)
            found += documents.search(self.workspace, pattern, code, limit - len(found))
        return found

    def language(self, path: str) -> str:
        """The language of a file, as blocks of code name it."""
        file = self.codebase.file(path)
        return file.language if file else ""

    def text(self, path: str) -> str:
        """The text of a file; empty when it cannot be read."""
        if path not in self._texts:
            self._texts[path] = read_text(self.workspace, path, limit=_SOURCE_BYTES) or ""
        return self._texts[path]

    def line(self, path: str, number: int) -> str:
        """One line of a file, without blanks around it; empty beyond its end."""
        lines = self.text(path).splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def body(self, symbol: Symbol) -> bodies.Body | None:
        """The parsed definition of a Python function or class."""
        if symbol.path not in self._bodies:
            self._bodies[symbol.path] = bodies.parse(self.text(symbol.path))
        return self._bodies[symbol.path].get(symbol.line)

    def called_as(self, symbol: Symbol, length: int = CALL_LENGTH) -> str:
        """How a definition is called: its name and those of its parameters, and what it returns."""
        body = self.body(symbol) if symbol.signature.endswith("…") else None
        return called_as(symbol, length, body.node if body else None)

    @cached_property
    def entry_targets(self) -> list[str]:
        """What the commands that the project installs call: `module:function`."""
        return [target for _, target, _ in Manifests(self.workspace).scripts()]

    @cached_property
    def unread(self) -> str:
        """Which source files have definitions that cannot be read here, and why; empty when all can be."""
        files = [file for file in self.codebase.files if file.language != "python"]
        without = Counter(language_name(file.language) for file in files if not tags.available())
        never = Counter(filter(None, map(language_not_indexed, self._lookup.documents)))
        said = []
        if without:
            said.append(f"{_tally(without)}: install the extra that reads them, `pip install 'contexten[languages]'`")
        if never:
            said.append(f"{_tally(never)}: I know no definitions in such files, only their text")
        return f"Not read here: {'; '.join(said)}." if said else ""


def _tally(numbers: Counter[str]) -> str:
    return joined([counted(number, f"{language} file") for language, number in numbers.most_common()])
