"""What imports a file, definition or package, and what a file imports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.ground import is_test
from contexten.engines.analyst.markdown import bullets, code, counted
from contexten.engines.analyst.step import Finding

if TYPE_CHECKING:
    from contexten.codebase import File
    from contexten.engines.analyst.ground import Ground

_KEPT = 100


def importers(ground: Ground, name: str) -> Finding:
    """The places that import a definition, file, folder, or a package from outside the repository."""
    found = ground.find(name)
    if found.symbols:
        references = [ref for symbol in found.symbols[:4] for ref in ground.codebase.references(symbol, ("import",))]
        places = [(ref.path, ref.line, ref.text) for ref in references]
    elif found.files or found.folder:
        files = found.files or tuple(f for f in ground.codebase.files if f.path.startswith(found.folder + "/"))
        places = _importing(ground, files, outside=found.folder)
    else:
        places = _of_package(ground, name)
    places.sort(key=lambda place: (is_test(place[0]), place))
    if not places:
        return Finding("none", f"Nothing in this repository imports `{name}`.", {"name": name, "count": 0})
    number = len({path for path, _, _ in places})
    items = [f"`{path}:{line}`: {code(text)}" for path, line, text in places]
    data = {"name": name, "count": len(places), "places": [f"{path}:{line}" for path, line, _ in places[:_KEPT]]}
    return Finding(
        f"{len(places)} in {counted(number, 'file')}",
        f"`{found.name or name}` is imported in {counted(len(places), 'place')} in {counted(number, 'file')}:\n\n{bullets(items)}",
        data,
    )


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
    """Import lines that name one of the files; those in the folder itself do not count."""
    found = {}
    for file in files:
        for each in ground.codebase.importers(file.path):
            if not (outside and each.path.startswith(outside + "/")):
                lines = ground.text(each.path).splitlines()
                found[each.path, each.line] = lines[each.line - 1].strip() if each.line <= len(lines) else each.module
    return [(path, line, text) for (path, line), text in found.items()]


def _of_package(ground: Ground, name: str) -> list[tuple[str, int, str]]:
    if not re.fullmatch(r"[\w.\-@/]+", name):
        return []
    pattern = rf"^\s*(?:from|import)\s+{re.escape(name)}\b|\b(?:from|require\()\s*['\"]{re.escape(name)}"
    matches = ground.codebase.search_text(pattern, regex=True, ignore_case=False)
    return [(match.path, match.line, match.text) for match in matches]
