"""What a project needs, where it starts, and how it is set up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from contexten.engines.analyst.manifests import Manifests
from contexten.engines.analyst.markdown import bullets, code, counted, few
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.engines.analyst.repository import Repository

_MAIN = r"^if\s+__name__\s*==\s*['\"]__main__['\"]"
_APPLICATION = r"^\w+\s*(?::\s*\w+\s*)?=\s*(?:FastAPI|Flask|Starlette|Typer|typer\.Typer|Celery|Sanic|Litestar|Quart)\("
_SHOWN = 60


def dependencies(repository: Repository) -> Finding:
    """The packages that the project declares, and those that its code imports."""
    declared = Manifests(repository.workspace).dependencies()
    sections = [
        f"Declared in `{place}`:\n\n{bullets([code(each) for each in names], limit=_SHOWN)}"
        for place, names in declared.items()
    ]
    outside = _imported(repository)
    if outside:
        shown = few([f"`{module}` ({counted(number, 'file')})" for module, number in outside], _SHOWN)
        sections.append(f"Imported by the code from outside, the standard library left out: {shown}.")
    if not sections:
        sections.append("No dependencies are declared in a file that I know, and the code imports none.")
    number = len({name for names in declared.values() for name in names})
    data = {"declared": declared, "imported": [name for name, _ in outside]}
    return Finding(f"{number} declared, {len(outside)} imported", "\n\n".join(sections), data)


def entry_points(repository: Repository) -> Finding:
    """Where the project's programs start: declared commands, `__main__` modules, application objects."""
    items = list(dict.fromkeys(_entry_points(repository)))
    if not items:
        said = (
            "I see no entry point: no declared commands, no `__main__`, no application object. It looks like a library."
        )
        return Finding("none", said, {"entry_points": []})
    answer = f"It starts at:\n\n{bullets(items)}"
    return Finding(counted(len(items), "entry point"), answer, {"entry_points": items[:_SHOWN]})


def setup(repository: Repository) -> Finding:
    """How to install, test and run the project, as its own files tell."""
    manifests = Manifests(repository.workspace)
    commands, targets = manifests.commands(), manifests.targets()
    name, part = manifests.set_up_part()
    sections = [f"Going by its files:\n\n{bullets(commands)}"] if commands else []
    if targets:
        sections.append(f"It defines {few([f'`{target}`' for target in targets], 20)}.")
    if part:
        quoted = "\n".join(f"> {line}".rstrip() for line in part.splitlines())
        sections.append(f"`{name}` says:\n\n{quoted}")
    if not sections:
        sections.append(
            "It has no file that tells how it is set up: no pyproject.toml, Makefile, package.json or README."
        )
        sections.append(entry_points(repository).answer)
    return Finding(counted(len(commands), "command"), "\n\n".join(sections), {"commands": commands, "targets": targets})


def _entry_points(repository: Repository) -> Iterator[str]:
    for name, target, source in Manifests(repository.workspace).scripts():
        yield f"command `{name}` → `{target}` (`{source}`){_where(repository, target)}"
    for match in repository.codebase.search_text(_MAIN, regex=True, limit=40):
        if not is_test(match.path):
            yield f"`{match.path}:{match.line}`: runs as a program"
    for file in repository.codebase.files:
        if file.path.endswith("__main__.py"):
            yield f"`{file.path}`: runs with `python -m {file.module.removesuffix('.__main__')}`"
    for match in repository.codebase.search_text(_APPLICATION, regex=True, limit=20):
        if not is_test(match.path):
            yield f"`{match.path}:{match.line}`: application {code(match.text)}"


def _where(repository: Repository, target: str) -> str:
    module, _, name = target.partition(":")
    found = repository.codebase.symbols(f"{module}.{name.partition('.')[0]}") if name else []
    return f", `{found[0].location}`" if found else ""


def _imported(repository: Repository) -> list[tuple[str, int]]:
    """Top-level packages that the code imports from outside, with the number of files that do."""
    users: dict[str, set[str]] = {}
    own = {file.module.partition(".")[0] for file in repository.codebase.files if file.module}
    for file in repository.codebase.files:
        for each in repository.codebase.imports(file.path):
            top = each.module.partition(".")[0]
            if top and not each.target and top not in sys.stdlib_module_names and top not in own:
                users.setdefault(top, set()).add(file.path)
    return sorted(((name, len(files)) for name, files in users.items()), key=lambda each: (-each[1], each[0]))
