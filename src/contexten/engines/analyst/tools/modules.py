"""What imports a file, definition or package, and what a file imports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import bullets, code, counted, few
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import File
    from contexten.engines.analyst.repository import Repository

_KEPT = 100
_SMALL = 2
_NOT_FOLLOWED = "(Imports inside functions do not count: they run later, which is the usual way out of a circle.)"


def importers(repository: Repository, name: str) -> Finding:
    """The files that import a definition, file, folder, or a package from outside the repository."""
    found = repository.find(name)
    if found.symbols:
        references = [ref for symbol in found.symbols[:4] for ref in repository.references(symbol, ("import",))]
        places = [(ref.path, ref.line, ref.target.name if ref.target else "") for ref in references]
    elif found.files or found.folder:
        files = found.files or tuple(f for f in repository.codebase.files if f.path.startswith(found.folder + "/"))
        places = _importing(repository, files, outside=found.folder)
    else:
        places = _of_package(repository, name)
    by_file: dict[str, list[tuple[int, str]]] = {}
    for path, line, what in sorted(places, key=lambda place: (is_test(place[0]), place)):
        by_file.setdefault(path, []).append((line, what))
    if not by_file:
        return Finding("none", f"Nothing in this repository imports `{name}`.", {"name": name, "count": 0})
    items = [
        f"`{path}:{rows[0][0]}`: {few([code(what) for what in dict.fromkeys(what for _, what in rows)])}"
        for path, rows in by_file.items()
    ]
    said = counted(len(by_file), "file")
    places_kept = [f"{path}:{rows[0][0]}" for path, rows in by_file.items()][:_KEPT]
    data = {"name": name, "count": len(by_file), "places": places_kept}
    return Finding(said, f"`{found.name or name}` is imported by {said}:\n\n{bullets(items)}", data)


def imports(repository: Repository, name: str) -> Finding:
    """What a file imports: from this repository, and from elsewhere."""
    found = repository.find(name)
    files = _files(repository, name)
    rows = [each for file in files for each in repository.codebase.imports(file.path)]
    inside = dict.fromkeys(
        each.target for each in rows if each.target and each.target not in {file.path for file in files}
    )
    outside = dict.fromkeys(
        each.module.partition(".")[0] for each in rows if not each.target and not each.module.startswith(".")
    )
    where = f"`{found.folder}/`" if found.folder else ", ".join(f"`{file.path}`" for file in files)
    said = [
        f"{where} imports {counted(len(inside), 'file')} of this repository"
        + (f":\n\n{bullets([f'`{path}`' for path in inside])}" if inside else ".")
    ]
    if outside:
        said.append(f"From elsewhere: {', '.join(f'`{module}`' for module in outside)}.")
    return Finding(
        f"{len(inside)} of this repository, {len(outside)} from elsewhere",
        "\n\n".join(said),
        {"inside": list(inside), "outside": list(outside)},
    )


def cycles(repository: Repository, name: str | None = None) -> Finding:
    """The groups of files that import each other in a circle; only those with a file of `name` when it is given."""
    inside = {file.path for file in _files(repository, name)} if name else set()
    found = [each for each in repository.codebase.cycles() if not inside or inside.intersection(each)]
    where = f"`{name}`" if name else "this repository"
    if not found:
        said = f"No: no files of {where} import each other in a circle. {_NOT_FOLLOWED}"
        return Finding("none", said, {"cycles": []})
    items = [_circle(each) for each in found]
    line = counted(len(found), "group") + " of files"
    said = f"Yes: {line} of {where} import each other in a circle:\n\n{bullets(items)}\n\n{_NOT_FOLLOWED}"
    return Finding(line, said, {"cycles": found[:_KEPT]})


def _circle(paths: list[str]) -> str:
    shown = " → ".join(f"`{path}`" for path in (*paths, paths[0]))
    return shown if len(paths) <= _SMALL else f"{len(paths)} files: {few([f'`{path}`' for path in paths], 20)}"


def _files(repository: Repository, name: str) -> list[File]:
    found = repository.find(name)
    if found.folder:
        return [file for file in repository.codebase.files if file.path.startswith(found.folder + "/")]
    return list(found.files) or [file for each in found.symbols[:1] if (file := repository.codebase.file(each.path))]


def _importing(repository: Repository, files: tuple[File, ...], *, outside: str) -> list[tuple[str, int, str]]:
    """Where something is taken from one of the files, and what; imports within the folder itself do not count."""
    return [
        (each.path, each.line, each.name or each.module)
        for file in files
        for each in repository.codebase.importers(file.path)
        if not (outside and each.path.startswith(outside + "/"))
    ]


def _of_package(repository: Repository, name: str) -> list[tuple[str, int, str]]:
    """Import lines that name a package which is not part of the repository."""
    if not re.fullmatch(r"[\w.\-@/]+", name):
        return []
    pattern = rf"^\s*(?:from|import)\s+{re.escape(name)}\b|\b(?:from|require\()\s*['\"]{re.escape(name)}"
    matches = repository.codebase.search_text(pattern, regex=True, ignore_case=False)
    return [(match.path, match.line, match.text) for match in matches]
