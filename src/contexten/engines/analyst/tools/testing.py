"""Which tests there are, and which of them touch a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import bullets, code, counted
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import Reference, Symbol
    from contexten.engines.analyst.repository import Repository

_KEPT = 100


def tests(repository: Repository, name: str | None = None) -> Finding:  # noqa: PT028 (a tool, not a test)
    """The tests of a definition or file: those that refer to it, and those that reach it through one function."""
    return _tests_of(repository, name) if name else _all_tests(repository)


def _tests_of(repository: Repository, name: str) -> Finding:
    found = repository.find(name)
    symbols = list(found.symbols[:4])
    for file in found.files[:2]:
        module = repository.codebase.module(file.path)
        symbols += (
            [each for each in repository.codebase.members(module) if each.kind in {"function", "class"}]
            if module
            else []
        )
    references = [ref for symbol in symbols for ref in repository.references(symbol)]
    direct = [ref for ref in references if is_test(ref.path) and ref.kind != "import"]
    if direct:
        number = len({(ref.path, ref.symbol.qualified_name if ref.symbol else "") for ref in direct})
        answer = f"`{name}` is used by {counted(number, 'test')} directly:\n\n{bullets(_items(direct))}"
        return Finding(counted(number, "test"), answer, _data(name, direct))
    through = _through(repository, references)
    if through:
        answer = (
            f"No test uses `{name}` directly. Tests reach it through code that uses it:\n\n{bullets(_items(through))}"
        )
        return Finding(f"none directly, {len(through)} through others", answer, _data(name, through))
    texts = [
        match for match in repository.codebase.search_text(name.rpartition(".")[2], limit=500) if is_test(match.path)
    ]
    if texts:
        items = [f"`{match.path}:{match.line}`: {code(match.text)}" for match in texts]
        answer = f"No test refers to `{name}` as code; tests that have the word:\n\n{bullets(items)}"
        return Finding(f"none; {counted(len(texts), 'mention')}", answer, {"name": name, "count": 0})
    return Finding(
        "none",
        f"No test in this repository uses `{name}`, directly or through one function.",
        {"name": name, "count": 0},
    )


def _through(repository: Repository, references: list[Reference]) -> list[Reference]:
    users: dict[str, Symbol] = {
        ref.symbol.qualified_name: ref.symbol for ref in references if ref.symbol and ref.kind == "call"
    }
    calls = [ref for user in list(users.values())[:40] for ref in repository.references(user, ("call",))]
    return [ref for ref in calls if is_test(ref.path)]


def _items(found: list[Reference]) -> list[str]:
    by_test: dict[tuple[str, str], list[Reference]] = {}
    for ref in sorted(found, key=lambda each: (each.path, each.line)):
        by_test.setdefault((ref.path, ref.symbol.name if ref.symbol else ""), []).append(ref)
    items = []
    for (path, name), references in by_test.items():
        line = references[0].symbol.line if references[0].symbol else references[0].line
        lines = ", ".join(str(number) for number in sorted({ref.line for ref in references})[:5])
        items.append(
            f"`{path}:{line}` `{name}` (line {lines})" if name else f"`{path}:{line}`: {code(references[0].text)}"
        )
    return items


def _data(name: str, found: list[Reference]) -> dict[str, object]:
    return {"name": name, "count": len(found), "places": [ref.location for ref in found[:_KEPT]]}


def test_functions(repository: Repository) -> list[Symbol]:
    """All functions and methods in test files that are named as tests."""
    files = [file for file in repository.codebase.files if is_test(file.path)]
    named = (each for file in files for each in repository.codebase.symbols_in(file.path))
    return [each for each in named if each.kind in {"function", "method"} and each.name.lower().startswith("test")]


def _all_tests(repository: Repository) -> Finding:
    found = test_functions(repository)
    by_file: dict[str, int] = {}
    for symbol in found:
        by_file[symbol.path] = by_file.get(symbol.path, 0) + 1
    if not found:
        return Finding("none", "This repository has no test functions that I can see.", {"count": 0})
    items = [
        f"`{path}`: {counted(number, 'test')}"
        for path, number in sorted(by_file.items(), key=lambda each: (-each[1], each[0]))
    ]
    line = f"{counted(len(found), 'test')} in {counted(len(by_file), 'file')}"
    return Finding(line, f"There are {line}:\n\n{bullets(items)}", {"count": len(found)})
