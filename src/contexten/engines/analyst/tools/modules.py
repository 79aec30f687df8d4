"""What imports a file, definition or package, and what a file imports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.ground import is_test
from contexten.engines.analyst.markdown import bullets, code, counted, few
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import File
    from contexten.engines.analyst.ground import Ground

_KEPT = 100


def importers(ground: Ground, name: str) -> Finding:
    """The files that import a definition, file, folder, or a package from outside the repository."""
    found = ground.find(name)
    if found.symbols:
        references = [ref for symbol in found.symbols[:4] for ref in ground.references(symbol, ("import",))]
        places = [(ref.path, ref.line, ref.target.name if ref.target else "") for ref in references]
    elif found.files or found.folder:
        files = found.files or tuple(f for f in ground.codebase.files if f.path.startswith(found.folder + "/"))
        places = _importing(ground, files, outside=found.folder)
    else:
        places = _of_package(ground, name)
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


def imports(ground: Ground, name: str) -> Finding:
    """What a file imports: from this repository, and from elsewhere."""
    found = ground.find(name)
    files = list(found.files) or [file for symbol in found.symbols[:1] if (file := ground.codebase.file(symbol.path))]
    if found.folder:
        files = [file for file in ground.codebase.files if file.path.startswith(found.folder + "/")]
    rows = [each for file in files for each in ground.codebase.imports(file.path)]
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


def _importing(ground: Ground, files: tuple[File, ...], *, outside: str) -> list[tuple[str, int, str]]:
    """Where something is taken from one of the files, and what; imports within the folder itself do not count."""
    return [
        (each.path, each.line, each.name or each.module)
        for file in files
        for each in ground.codebase.importers(file.path)
        if not (outside and each.path.startswith(outside + "/"))
    ]


def _of_package(ground: Ground, name: str) -> list[tuple[str, int, str]]:
    """Import lines that name a package which is not part of the repository."""
    if not re.fullmatch(r"[\w.\-@/]+", name):
        return []
    pattern = rf"^\s*(?:from|import)\s+{re.escape(name)}\b|\b(?:from|require\()\s*['\"]{re.escape(name)}"
    matches = ground.codebase.search_text(pattern, regex=True, ignore_case=False)
    return [(match.path, match.line, match.text) for match in matches]
