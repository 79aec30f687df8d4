"""Count things, and rank them by size or by how much they are used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import bullets, counted
from contexten.engines.analyst.paths import is_test, language_name
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.calls import callers, uses
from contexten.engines.analyst.tools.classes import contents, subclasses
from contexten.engines.analyst.tools.lines import lines
from contexten.engines.analyst.tools.modules import importers
from contexten.engines.analyst.tools.overview import most_used
from contexten.engines.analyst.tools.project import dependencies
from contexten.engines.analyst.tools.testing import test_functions, tests
from contexten.engines.analyst.tools.text import find_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from contexten.codebase import File, Symbol
    from contexten.engines.analyst.repository import Repository

_TOP = 15
_PRIVATE = re.compile(r"_(?!_\w+__$)")
_OF_ONE: tuple[tuple[str, Callable[[Repository, str], Finding]], ...] = (
    (r"\bcall(?:er|s|ed|ing)?|\binvo", callers),
    (r"\bsub-?class|inherit|derive|extend", subclasses),
    (r"\btest", tests),
    (r"\b(?:methods?|functions?|class(?:es)?|members?|attributes?|fields?)\b", contents),
    (r"\b(?:us(?:e|es|ed|ages?)|references?|places|times)\b", uses),
)


def count(repository: Repository, what: str, name: str | None = None, scope: str | None = None) -> Finding:
    """How many there are of something: files, lines, functions, classes, tests, callers of a name, times a text occurs."""
    words = what.lower()
    if name and repository.find(name).symbols:
        return next((tool for pattern, tool in _OF_ONE if re.search(pattern, words)), uses)(repository, name)
    if name and repository.find(name):
        return importers(repository, name) if "import" in words else _in_files(repository, words, name)
    if name:
        return find_text(repository, name, scope)
    return _in_files(repository, words, scope)


def largest(repository: Repository, what: str) -> Finding:
    """The longest files, functions or classes, or those that are used most."""
    words = what.lower()
    files = [file for file in repository.codebase.files if "test" in words or not is_test(file.path)]
    if re.search(r"\bmost\b|\bhot", words):
        if re.search(r"\bfiles?|modules?", words):
            rows = [
                f"`{path}`, imported by {counted(len({each.path for each in repository.codebase.importers(path)}), 'file')}"
                for path, _ in repository.rank[:_TOP]
            ]
            return Finding(
                counted(len(rows), "file"), f"The most depended-on files (by rank over imports):\n\n{bullets(rows)}"
            )
        wanted = {"function"} if "function" in words else {"class"} if "class" in words else {"function", "class"}
        used = [each for each in most_used(repository, files) if each[0].kind in wanted][:_TOP]
        rows = [
            f"`{symbol.name}` ({symbol.kind}, `{symbol.location}`): {counted(number, 'reference')}"
            for symbol, number in used
        ]
        return Finding(
            counted(len(rows), "definition"), f"The most referenced functions and classes:\n\n{bullets(rows)}"
        )
    kinds = {"function", "method"} if re.search(r"function|method", words) else {"class"} if "class" in words else set()
    if kinds:
        found = [each for file in files for each in repository.codebase.symbols_in(file.path) if each.kind in kinds]
        found.sort(key=lambda each: each.line - each.end_line)
        rows = [
            f"`{each.name}` (`{each.location}`): {counted(each.end_line - each.line + 1, 'line')}"
            for each in found[:_TOP]
        ]
    else:
        rows = [
            f"`{file.path}`: {counted(file.lines, 'line')}"
            for file in sorted(files, key=lambda file: -file.lines)[:_TOP]
        ]
    head = "The longest " + ("functions and methods" if "function" in kinds else "classes" if kinds else "files")
    return Finding(
        rows[0].replace("`", "") if rows else "none", f"{head}:\n\n{bullets(rows)}" if rows else "There are none."
    )


def _in_files(repository: Repository, words: str, scope: str | None) -> Finding:
    files = _under(repository, scope)
    where = f"`{scope}`" if scope else f"`{repository.name}`"
    if "test" in words:
        paths = {file.path for file in files}
        found = [symbol for symbol in test_functions(repository) if symbol.path in paths]
        return _number(
            where, counted(len(found), "test function") + f" in {counted(len({each.path for each in found}), 'file')}"
        )
    if re.search(r"depend|packages? .*us|librar", words):
        return dependencies(repository)
    if re.search(r"\blines?\b|\bloc\b|big|large", words):
        return _number(
            where, f"{counted(sum(file.lines for file in files), 'line')} in {counted(len(files), 'source file')}"
        )
    if re.search(r"to-?do|fixme", words):
        return lines(repository, "todo", scope)
    kinds = {kind for kind in ("function", "method", "class", "variable", "attribute") if kind in words}
    if kinds:
        found = _visible(words, [each for file in files for each in repository.codebase.symbols_in(file.path)])
        tally = [counted(sum(each.kind == kind for each in found), kind) for kind in sorted(kinds)]
        extra = ""
        if kinds == {"function"}:
            methods = sum(each.kind == "method" for each in found)
            extra = f", and {counted(methods, 'method')} besides"
        shown = next((f" {kind}" for kind in ("public", "private") if kind in words), "")
        return _number(
            where,
            f"{' and '.join(tally)}{extra}{shown and f' ({shown.strip()} only)'}, in {counted(len(files), 'source file')}",
        )
    by_language: dict[str, int] = {}
    for file in files:
        by_language[language_name(file.language)] = by_language.get(language_name(file.language), 0) + 1
    tally_text = ", ".join(
        f"{number} {language}" for language, number in sorted(by_language.items(), key=lambda each: -each[1])
    )
    return _number(where, counted(len(files), "source file") + (f" ({tally_text})" if tally_text else ""))


def _visible(words: str, symbols: list[Symbol]) -> list[Symbol]:
    """Only the public ones, or only the private ones, when the question says so."""
    wanted = {kind for kind in ("public", "private") if kind in words}
    if len(wanted) != 1:
        return symbols
    return [each for each in symbols if bool(_PRIVATE.match(each.name)) == ("private" in wanted)]


def _under(repository: Repository, scope: str | None) -> list[File]:
    if not scope:
        return repository.codebase.files
    found = repository.find(scope)
    if found.files:
        return list(found.files)
    folder = (found.folder or scope.rstrip("/")) + "/"
    return [file for file in repository.codebase.files if file.path.startswith(folder)]


def _number(where: str, tally: str) -> Finding:
    return Finding(tally, f"{where} has {tally}.", {"count": tally})
