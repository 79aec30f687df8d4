"""What a name that a person writes stands for in one repository: definitions, files, a folder, or a document."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from contexten.engines.analyst import documents
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.understanding.words import is_document_name, parts, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from contexten.codebase import Codebase, File, Symbol

_NEAR = 6
_NEAR_TOKENS = 400
_TELLING = {"class", "function", "method"}
_WORDS = re.compile(r"[\w$]+(?: [\w$]+)*")
_DOTTED = re.compile(r"[\w$]+(?:(?:\.|::)[\w$]+)*")


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for: definitions, files of code, a folder, or a document. Empty when it stands for nothing."""

    name: str
    """As it is written in the code."""
    symbols: tuple[Symbol, ...] = ()
    files: tuple[File, ...] = ()
    folder: str = ""
    document: str = ""
    """Path of a text file that is not code, such as the README."""
    package: str = ""
    """Name of a package from outside that the code imports."""

    def __bool__(self) -> bool:
        return bool(self.symbols or self.files or self.folder or self.document or self.package)


class Lookup:
    """Looks names up in one repository, each once.

    Args:
        workspace: its folder.
        codebase: its index.
    """

    def __init__(self, workspace: Path, codebase: Codebase) -> None:
        self._workspace = workspace
        self._codebase = codebase
        self._found: dict[str, Found] = {}

    def find(self, text: str) -> Found:
        """What a name, path, dotted name, `path:line`, `path::name`, or phrase (`refund order`) stands for."""
        if text not in self._found:
            self._found[text] = self._find(text.strip().strip("`").removesuffix("()").removeprefix("./").rstrip("/,."))
        return self._found[text]

    def near(self, name: str) -> list[str]:
        """Names in the code that are spelled like `name`, or made of its words; the nearest first."""
        if "/" in name or name.rpartition(".")[2] in {"py", "ts", "js"}:
            paths = {file.path.rsplit("/", 1)[-1]: file.path for file in self._codebase.files}
            return [paths[each] for each in difflib.get_close_matches(name.rsplit("/", 1)[-1], paths, n=_NEAR)]
        last = re.split(r"[.:]", name)[-1]
        spelled = [
            each for text in dict.fromkeys((last, last.lower())) for each in self._codebase.spellings(text, _NEAR)
        ]
        stems = {stem(part) for part in parts(last)}
        about = self._codebase.relevant_context(" ".join(parts(last)), budget_tokens=_NEAR_TOKENS).items
        built = [item.symbol.name for item in about if stems & {stem(part) for part in parts(item.symbol.name)}]
        return list(dict.fromkeys([*spelled, *built]))[:_NEAR]

    def _find(self, text: str) -> Found:
        path, _, inner = text.replace("::", ":").partition(":")
        if inner and (file := self._file(path)):
            return self._within(file, inner)
        if files := self._files(text):
            return Found(files[0].path if len(files) == 1 else text, files=files)
        return next((found for look in self._ways(text) if (found := look(text))), Found(text))

    def _ways(self, text: str) -> tuple[Callable[[str], Found | None], ...]:
        """In which order a text that is no file of code is looked up."""
        if not text:
            return ()
        if "/" in text or text in self._folders:
            return self._folder, self._document
        if is_document_name(text):
            return self._document, self._named, self._mentioned, self._stem
        return self._named, self._module, self._mentioned, self._phrase, self._document, self._stem, self._package

    def _file(self, text: str) -> File | None:
        found = self._files(text)
        return found[0] if len(found) == 1 else None

    def _files(self, text: str) -> tuple[File, ...]:
        """The file at a path, else those whose path ends so."""
        if file := self._codebase.file(text):
            return (file,)
        if "." not in text and "/" not in text:
            return ()
        return tuple(file for file in self._codebase.files if file.path.endswith("/" + text))

    def _within(self, file: File, inner: str) -> Found:
        """A definition in a file, by its name or by a line of it."""
        symbols = self._codebase.symbols_in(file.path)
        if inner.isdigit():
            around = [each for each in symbols if each.line <= int(inner) <= each.end_line]
            found = sorted(around, key=lambda each: each.end_line - each.line)[:1]
        else:
            found = [each for each in symbols if f".{each.qualified_name}".endswith(f".{inner}")]
        if found:
            return Found(found[0].name, symbols=tuple(found))
        return Found(file.path, files=(file,)) if inner.isdigit() else Found(f"{file.path}:{inner}")

    def _folder(self, text: str) -> Found | None:
        ends = [folder for folder in self._folders if folder == text or folder.endswith("/" + text)]
        if not ends:
            return None
        folder = min(ends, key=len)
        return Found(folder, folder=folder, symbols=self._symbols(text) if "/" not in text else ())

    @cached_property
    def _folders(self) -> frozenset[str]:
        found: set[str] = set()
        for file in self._codebase.files:
            head = file.path
            while "/" in head and (head := head.rpartition("/")[0]) not in found:
                found.add(head)
        return frozenset(found)

    def _symbols(self, name: str) -> tuple[Symbol, ...]:
        """Definitions of a name; those outside tests first."""
        found = _each_once(symbol for symbol in self._codebase.symbols(name) if symbol.kind != "module")
        return tuple(
            sorted(found, key=lambda each: (is_test(each.path), each.parent is not None, each.path, each.line))
        )

    def _named(self, text: str) -> Found | None:
        """Functions and classes of a name, with all else of that name; anything at all of a dotted name."""
        found = self._mentioned(text)
        telling = found and any(each.kind in _TELLING and not is_test(each.path) for each in found.symbols)
        return found if telling or (found and not text.isalpha()) else None

    def _mentioned(self, text: str) -> Found | None:
        """Whatever has a name, if only as an attribute."""
        symbols = self._symbols(text) if _DOTTED.fullmatch(text) else ()
        if not symbols:
            return None
        short = symbols[0].name
        return Found(text if text.endswith(short) else short, symbols=symbols)

    def _module(self, text: str) -> Found | None:
        """A file by the dotted name that it is imported by, in full or from some package on; a package as its folder."""
        as_path = text.replace(".", "/")
        folders = [each for each in self._folders if each == as_path or each.endswith("/" + as_path)]
        if folders:
            return Found(text, folder=min(folders, key=lambda each: (is_test(f"{each}/"), len(each), each)))
        files = [
            file
            for file in self._codebase.files
            if file.module and (file.module == text or file.module.endswith("." + text))
        ]
        return Found(text, files=tuple(files)) if files else None

    def _phrase(self, text: str) -> Found | None:
        """Words that together make a name: `refund order` is `refund_order` or `RefundOrder`."""
        words = text.split()
        if not 1 < len(words) <= 5 or not _WORDS.fullmatch(text):  # noqa: PLR2004 (longer names are not spoken in words)
            return None
        return next((found for joint in ("_", "", "-") if (found := self._mentioned(joint.join(words)))), None)

    def _document(self, text: str) -> Found | None:
        """A text file that is not code, by its path or the end of it, or by its name where that is well known."""
        wanted = text.lower()
        if "." not in text and "/" not in text and not is_document_name(text):
            return None
        ends = [
            path
            for path in self.documents
            if f"/{path.lower()}".endswith(f"/{wanted}") or path.lower().partition(".")[0] == wanted
        ]
        return Found(ends[0], document=ends[0]) if ends else None

    @cached_property
    def documents(self) -> list[str]:
        """Paths of the files that are not code, those nearest to the top first."""
        code = {file.path for file in self._codebase.files}
        found = (path for path in documents.paths(self._workspace) if path not in code)
        return sorted(found, key=lambda path: (path.count("/"), path))

    def _stem(self, text: str) -> Found | None:
        wanted = text.lower().replace(" ", "_")
        files = [
            file for file in self._codebase.files if file.path.rsplit("/", 1)[-1].partition(".")[0].lower() == wanted
        ]
        return Found(text, files=tuple(files)) if files else None

    def _package(self, text: str) -> Found | None:
        return Found(text, package=text) if text in self._packages else None

    @cached_property
    def _packages(self) -> frozenset[str]:
        """Top-level names that the code imports from outside, without the standard library."""
        rows = (each for file in self._codebase.files for each in self._codebase.imports(file.path) if not each.target)
        return frozenset(each.module.partition(".")[0] for each in rows) - sys.stdlib_module_names


def _each_once(symbols: Iterable[Symbol]) -> list[Symbol]:
    """One of several definitions of the same thing: the one that overloads stand for, the getter of a property."""
    kept: dict[tuple[str, str], Symbol] = {}
    for symbol in symbols:
        place = (symbol.path, symbol.qualified_name)
        if place not in kept or any(each.endswith("overload") for each in kept[place].decorators):
            kept[place] = symbol
    return list(kept.values())
