"""What the tools stand on: one repository, its index, and what a name that a person writes stands for in it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from contexten.engines.analyst import bodies, documents
from contexten.engines.analyst.telling import CALL_LENGTH, called_as
from contexten.engines.analyst.words import parts, stem
from contexten.engines.workspace import read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from contexten.codebase import Codebase, File, Reference, Symbol, TextMatch

_SOURCE_BYTES = 4 * 1024 * 1024
_NEAR = 6
_NEAR_TOKENS = 400
LANGUAGE_NAMES = {
    "python": "Python", "javascript": "JavaScript", "typescript": "TypeScript", "tsx": "TypeScript", "java": "Java",
    "go": "Go", "rust": "Rust", "c": "C", "cpp": "C++", "markdown": "Markdown",
}  # fmt: skip
_WORDS = re.compile(r"[\w$]+(?: [\w$]+)*")
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|spec|__tests__)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.\w+$|\.(?:test|spec)\.\w+$"
)


def is_test(path: str) -> bool:
    """Whether a path is that of a test, or of something that only tests use."""
    return bool(_TESTS.search(path))


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for: definitions, files, or a folder. Empty when it stands for nothing."""

    name: str
    """As it is written in the code."""
    symbols: tuple[Symbol, ...] = ()
    files: tuple[File, ...] = ()
    folder: str = ""

    def __bool__(self) -> bool:
        return bool(self.symbols or self.files or self.folder)


class Ground:
    """One repository and its index."""

    def __init__(self, workspace: Path, name: str, codebase: Codebase) -> None:
        self.workspace = workspace
        self.name = name
        self.codebase = codebase
        self._found: dict[str, Found] = {}
        self._texts: dict[str, str] = {}
        self._bodies: dict[str, dict[int, bodies.Body]] = {}

    def resolve(self, phrase: str) -> str | None:
        """The name in the code that a phrase stands for, or None."""
        found = self.find(phrase)
        return found.name if found else None

    def find(self, text: str) -> Found:
        """What a name, path, dotted name, `path:line`, `path::name`, or phrase (`refund order`) stands for."""
        if text not in self._found:
            self._found[text] = self._find(text.strip().strip("`").removesuffix("()").removeprefix("./").rstrip("/,."))
        return self._found[text]

    def near(self, name: str) -> list[str]:
        """Names in the code that are spelled like `name`, or made of its words; the nearest first."""
        if "/" in name or name.rpartition(".")[2] in {"py", "ts", "js"}:
            paths = {file.path.rsplit("/", 1)[-1]: file.path for file in self.codebase.files}
            return [paths[each] for each in difflib.get_close_matches(name.rsplit("/", 1)[-1], paths, n=_NEAR)]
        last = re.split(r"[.:]", name)[-1]
        spelled = [
            each for text in dict.fromkeys((last, last.lower())) for each in self.codebase.spellings(text, _NEAR)
        ]
        stems = {stem(part) for part in parts(last)}
        about = self.codebase.relevant_context(" ".join(parts(last)), budget_tokens=_NEAR_TOKENS).items
        built = [item.symbol.name for item in about if stems & {stem(part) for part in parts(item.symbol.name)}]
        return list(dict.fromkeys([*spelled, *built]))[:_NEAR]

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

    def body(self, symbol: Symbol) -> bodies.Body | None:
        """The parsed definition of a Python function or class."""
        if symbol.path not in self._bodies:
            self._bodies[symbol.path] = bodies.parse(self.text(symbol.path))
        return self._bodies[symbol.path].get(symbol.line)

    def called_as(self, symbol: Symbol, length: int = CALL_LENGTH) -> str:
        """How a definition is called: its name and those of its parameters, and what it returns."""
        body = self.body(symbol) if symbol.signature.endswith("…") else None
        return called_as(symbol, length, body.node if body else None)

    def _find(self, text: str) -> Found:
        if not text:
            return Found(text)
        path, _, inner = text.replace("::", ":").partition(":")
        if inner and (file := self._file(path)):
            return self._within(file, inner)
        if file := self._file(text):
            return Found(file.path, files=(file,))
        if "/" in text or text in self._folders:
            return self._folder(text)
        return self._named(text) or self._module(text) or self._phrase(text) or self._stem(text) or Found(text)

    def _file(self, text: str) -> File | None:
        if file := self.codebase.file(text):
            return file
        if "." not in text and "/" not in text:
            return None
        ends = [file for file in self.codebase.files if file.path.endswith("/" + text)]
        return ends[0] if len(ends) == 1 else None

    def _within(self, file: File, inner: str) -> Found:
        """A definition in a file, by its name or by a line of it."""
        symbols = self.codebase.symbols_in(file.path)
        if inner.isdigit():
            around = [each for each in symbols if each.line <= int(inner) <= each.end_line]
            around.sort(key=lambda each: each.end_line - each.line)
            found = around[:1]
        else:
            found = [
                each
                for each in symbols
                if inner in {each.name, each.qualified_name} or each.qualified_name.endswith(f".{inner}")
            ]
        if found:
            return Found(found[0].name, symbols=tuple(found))
        return Found(file.path, files=(file,)) if inner.isdigit() else Found(f"{file.path}:{inner}")

    def _folder(self, text: str) -> Found:
        ends = [folder for folder in self._folders if folder == text or folder.endswith("/" + text)]
        if ends:
            return Found(
                min(ends, key=len), folder=min(ends, key=len), symbols=self._symbols(text) if "/" not in text else ()
            )
        files = [file for file in self.codebase.files if file.path.endswith("/" + text)]
        return Found(text, files=tuple(files))

    @cached_property
    def _folders(self) -> frozenset[str]:
        found: set[str] = set()
        for file in self.codebase.files:
            head = file.path
            while "/" in head and (head := head.rpartition("/")[0]) not in found:
                found.add(head)
        return frozenset(found)

    def _symbols(self, name: str) -> tuple[Symbol, ...]:
        """Definitions of a name; those outside tests first."""
        found = _each_once(symbol for symbol in self.codebase.symbols(name) if symbol.kind != "module")
        return tuple(
            sorted(found, key=lambda each: (is_test(each.path), each.parent is not None, each.path, each.line))
        )

    def _named(self, text: str) -> Found | None:
        if not re.fullmatch(r"[\w$]+(?:(?:\.|::)[\w$]+)*", text):
            return None
        symbols = self._symbols(text)
        if not symbols:
            return None
        short = symbols[0].name
        return Found(text if text.endswith(short) else short, symbols=symbols)

    def _module(self, text: str) -> Found | None:
        """A file by the dotted name that it is imported by, in full or from some package on; a package as its folder."""
        as_path = text.replace(".", "/")
        if folder := next(
            (each for each in sorted(self._folders, key=len) if each == as_path or each.endswith("/" + as_path)), ""
        ):
            return Found(text, folder=folder)
        files = [
            file
            for file in self.codebase.files
            if file.module and (file.module == text or file.module.endswith("." + text))
        ]
        return Found(text, files=tuple(files)) if files else None

    def _phrase(self, text: str) -> Found | None:
        """Words that together make a name: `refund order` is `refund_order` or `RefundOrder`."""
        words = text.split()
        if not 1 < len(words) <= 5 or not _WORDS.fullmatch(text):  # noqa: PLR2004 (longer names are not spoken in words)
            return None
        for joint in ("_", "", "-"):
            if found := self._named(joint.join(words)):
                return found
        return None

    def _stem(self, text: str) -> Found | None:
        wanted = text.lower().replace(" ", "_")
        files = [
            file for file in self.codebase.files if file.path.rsplit("/", 1)[-1].partition(".")[0].lower() == wanted
        ]
        return Found(text, files=tuple(files)) if files else None


def _each_once(symbols: Iterable[Symbol]) -> list[Symbol]:
    """One of several definitions of the same thing: the one that overloads stand for, the getter of a property."""
    kept: dict[tuple[str, str], Symbol] = {}
    for symbol in symbols:
        place = (symbol.path, symbol.qualified_name)
        if place not in kept or any(each.endswith("overload") for each in kept[place].decorators):
            kept[place] = symbol
    return list(kept.values())
