"""An overview of the whole repository."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import first_sentence
from contexten.engines.analyst.manifests import Manifests
from contexten.engines.analyst.markdown import bullets, counted
from contexten.engines.analyst.paths import is_test, language_name
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.testing import test_functions
from contexten.engines.facts import describe

if TYPE_CHECKING:
    from contexten.codebase import File, Symbol
    from contexten.engines.analyst.repository import Repository

_FILES = 10
_SYMBOLS = 10
_FOLDERS = 15


def overview(repository: Repository) -> Finding:
    """README, size and languages, layout, entry points, what is referred to most, and tests."""
    files = repository.codebase.files
    code_files = [file for file in files if not is_test(file.path)]
    facts = describe(repository.workspace)
    lines = sum(file.lines for file in files)
    branch = f", on branch `{facts.branch}`" if facts.branch else ""
    head = f"**{repository.name}**: {counted(len(files), 'source file')} with {counted(lines, 'line')}{branch}. {_languages(files)}"
    sections = [
        head,
        _readme(repository),
        _layout(repository, files),
        _entries(repository),
        _central(repository, code_files),
        _symbols(repository, code_files),
        _tests(repository),
    ]
    if repository.codebase.problems:
        broken = [f"`{each.path}`: {each.message}" for each in repository.codebase.problems]
        sections.append(f"**Could not be read**\n\n{bullets(broken, limit=5)}")
    data = {"files": len(files), "lines": lines, "branch": facts.branch, "language": facts.language}
    return Finding(
        f"{counted(len(files), 'file')}, {counted(lines, 'line')}", "\n\n".join(each for each in sections if each), data
    )


def most_used(repository: Repository, files: list[File]) -> list[tuple[Symbol, int]]:
    """Functions and classes of the most important files, by the number of places that refer to them."""
    scores = dict(repository.rank)
    top = sorted(files, key=lambda file: -scores.get(file.path, 0.0))[:25]
    found = []
    for file in top:
        module = repository.codebase.module(file.path)
        for symbol in repository.codebase.members(module)[:40] if module else []:
            if symbol.kind in {"function", "class"}:
                references = [ref for ref in repository.references(symbol) if ref.kind not in {"import", "export"}]
                found.append((symbol, len(references)))
    return sorted(found, key=lambda each: (-each[1], each[0].path, each[0].line))


def _languages(files: list[File]) -> str:
    lines: Counter[str] = Counter()
    for file in files:
        lines[language_name(file.language)] += file.lines
    total = sum(lines.values()) or 1
    shares = [f"{language} {100 * number / total:.0f} %" for language, number in lines.most_common(5) if number]
    return f"Languages: {', '.join(shares)}." if shares else "It has no source files that I can read."


def _readme(repository: Repository) -> str:
    name, about = Manifests(repository.workspace).about()
    quoted = "\n".join(f"> {line.strip()}" for line in about.splitlines())
    return f"{quoted}\n>\n> (`{name or 'pyproject.toml'}`)" if about else ""


def _layout(repository: Repository, files: list[File]) -> str:
    """Folders with source files, at the depth that tells something, with what they say of themselves."""
    counts: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for file in files:
        folder = file.path.rpartition("/")[0]
        counts[folder] += 1
        lines[folder] += file.lines
    folders = [folder for folder, _ in sorted(lines.items(), key=lambda each: -each[1]) if folder][:_FOLDERS]
    items = []
    for folder in sorted(folders):
        start = repository.codebase.module(f"{folder}/__init__.py")
        about = first_sentence(start.docstring) if start and start.docstring else ""
        items.append(
            f"`{folder}/`: {counted(counts[folder], 'file')}, {counted(lines[folder], 'line')}{f'. {about}' if about else ''}"
        )
    if counts[""]:
        items.append(f"at the top: {', '.join(f'`{file.path}`' for file in files if '/' not in file.path)}")
    left = len([folder for folder in counts if folder]) - len(folders)
    if left > 0:
        items.append(f"… and {counted(left, 'smaller folder')}")
    return f"**Layout**\n\n{bullets(items, limit=_FOLDERS + 2)}" if items else ""


def _entries(repository: Repository) -> str:
    items = [f"command `{name}` → `{target}`" for name, target, _ in Manifests(repository.workspace).scripts()]
    items += [f"`{file.path}`" for file in repository.codebase.files if file.path.endswith("__main__.py")]
    return f"**Entry points**\n\n{bullets(items, limit=10)}" if items else ""


def _central(repository: Repository, files: list[File]) -> str:
    paths = {file.path for file in files}
    items = []
    for path, score in repository.rank:
        module = repository.codebase.module(path)
        users = len({each.path for each in repository.codebase.importers(path)})
        if path not in paths or not users or score <= 0:
            continue
        about = first_sentence(module.docstring) if module else ""
        items.append(f"`{path}`, imported by {counted(users, 'file')}{f': {about}' if about else ''}")
        if len(items) == _FILES:
            break
    return f"**Most depended-on files**\n\n{bullets(items)}" if items else ""


def _symbols(repository: Repository, files: list[File]) -> str:
    found = [(symbol, number) for symbol, number in most_used(repository, files) if number > 1][:_SYMBOLS]
    items = []
    for symbol, number in found:
        about = first_sentence(symbol.docstring)
        items.append(
            f"`{symbol.name}` ({symbol.kind}, `{symbol.location}`), {counted(number, 'reference')}{f': {about}' if about else ''}"
        )
    return f"**Most referenced**\n\n{bullets(items)}" if items else ""


def _tests(repository: Repository) -> str:
    found = test_functions(repository)
    files = {symbol.path for symbol in found}
    return (
        f"**Tests**: {counted(len(found), 'test')} in {counted(len(files), 'file')}."
        if found
        else "**Tests**: none that I can see."
    )
