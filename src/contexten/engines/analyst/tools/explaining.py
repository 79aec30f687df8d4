"""Explain what a definition, a file or a folder is for, from its own words and from what surrounds it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from contexten.engines.analyst import bodies
from contexten.engines.analyst.descriptions import described, entry, first_sentence, span
from contexten.engines.analyst.markdown import block, bullets, code, counted, few, joined
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.references import counted_places
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.classes import class_parts
from contexten.engines.analyst.tools.document import outlined
from contexten.engines.analyst.tools.modules import importers

if TYPE_CHECKING:
    from contexten.codebase import File, Symbol
    from contexten.engines.analyst.repository import Repository

MAX_SYMBOLS = 3
_DOC_CHARACTERS = 1500
_LONG = 500
_SHORT_BODY = 25
_FILES = 30


def explain(repository: Repository, name: str) -> Finding:
    """What a definition, file or folder does, as far as its documentation, code and surroundings tell."""
    found = repository.find(name)
    sections = [_symbol(repository, symbol) for symbol in found.symbols[:MAX_SYMBOLS]]
    sections += [_file(repository, file) for file in found.files[: MAX_SYMBOLS - len(sections)]]
    if found.folder:
        sections.append(_folder(repository, found.folder))
    if found.package:
        sections.append(importers(repository, found.package).answer)
    if found.document:
        sections.append(outlined(repository, found.document))
    places = (
        [span(symbol) for symbol in found.symbols[:MAX_SYMBOLS]]
        + [file.path for file in found.files]
        + [found.folder, found.document, found.package]
    )
    left = len(found.symbols) - MAX_SYMBOLS
    if left > 0:
        sections.append(f"{left} more of this name are listed above; ask for one by its path, as in `path::name`.")
    data = {"name": name, "symbols": [entry(symbol) for symbol in found.symbols[:MAX_SYMBOLS]]}
    return Finding(", ".join(place for place in places if place), "\n\n".join(sections), data)


def _symbol(repository: Repository, symbol: Symbol) -> str:
    head = f"**`{symbol.name}`**: {described(symbol)} at `{span(symbol)}`"
    whole = _whole(repository, symbol)
    parts = [head, whole or _signature(repository, symbol)]
    if symbol.docstring:
        parts.append(_quoted(symbol.docstring))
    if symbol.kind == "class":
        parts += class_parts(repository, symbol)
    elif symbol.kind in {"function", "method"} and (body := repository.body(symbol)):
        parts.append(_effects(repository, symbol, body))
    parts.append(_used(repository, symbol))
    return "\n\n".join(part for part in parts if part)


def _signature(repository: Repository, symbol: Symbol) -> str:
    language = repository.language(symbol.path)
    if symbol.kind in {"function", "method", "class"}:
        lines = [f"@{each}" for each in symbol.decorators] + [_written(repository, symbol)]
        return block("\n".join(lines), language)
    lines = repository.text(symbol.path).splitlines()[symbol.line - 1 : min(symbol.end_line, symbol.line + 15)]
    return block("\n".join(lines), language)


def _written(repository: Repository, symbol: Symbol) -> str:
    """Its signature as it is written; without annotations and defaults when it is very long."""
    return symbol.signature if 0 < len(symbol.signature) <= _LONG else repository.called_as(symbol, _LONG)


def _quoted(docstring: str) -> str:
    text = docstring.strip()
    if len(text) > _DOC_CHARACTERS:
        text = text[:_DOC_CHARACTERS].rsplit("\n", 1)[0].rstrip() + "\n…"
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _whole(repository: Repository, symbol: Symbol) -> str:
    """All of a short function that does not say in words what it does."""
    body = repository.body(symbol) if symbol.kind in {"function", "method"} and not symbol.docstring else None
    if body is None or body.last_line - body.first_line >= _SHORT_BODY:
        return ""
    lines = repository.text(symbol.path).splitlines()[body.first_line - 1 : body.last_line]
    return block(textwrap.dedent("\n".join(lines)), "python")


def _effects(repository: Repository, symbol: Symbol, body: bodies.Body) -> str:
    """What it calls, raises, catches and gives back, as a list."""
    items = []
    targets = {ref.target.qualified_name: ref.target for ref in repository.codebase.callees(symbol) if ref.target}
    if targets:
        shown = [f"`{target.name}` (`{target.location}`)" for target in targets.values()]
        items.append(f"calls {few(shown)}")
    if raised := dict.fromkeys(seen.note for seen in bodies.raises(body) if seen.note):
        first = {seen.note: seen.line for seen in reversed(bodies.raises(body))}
        items.append("raises " + joined([f"{code(name)} (`{symbol.path}:{first[name]}`)" for name in raised]))
    if caught := bodies.catches(body):
        items.append("catches " + joined([f"{code(seen.note)} (`{symbol.path}:{seen.line}`)" for seen in caught[:6]]))
    if returned := bodies.returns(body):
        items.append("gives back: " + ", ".join(f"{code(seen.text)} (line {seen.line})" for seen in returned[:4]))
    return f"From its body:\n\n{bullets(items)}" if items else ""


def _used(repository: Repository, symbol: Symbol) -> str:
    found = repository.codebase.references(symbol, possible=True)
    references = [ref for ref in found if ref.kind not in {"import", "export"}]
    sure = [ref for ref in references if ref.certain]
    if not references:
        return "Nothing in this repository refers to it by name."
    shown = sure or references
    files = list(dict.fromkeys(ref.path for ref in sorted(shown, key=lambda ref: (is_test(ref.path), ref.path))))
    said = f"{counted_places(shown)}: {few([f'`{path}`' for path in files], 5)}."
    if not sure:
        return f"Perhaps used in {said} (Matched by name only: the types of the objects are not known.)"
    perhaps = len(references) - len(sure)
    also = f" Perhaps also in {counted(perhaps, 'more place')}, matched by name only." if perhaps else ""
    return f"Used in {said}{also}"


def _file(repository: Repository, file: File) -> str:
    module = repository.codebase.module(file.path)
    parts = [
        f"**`{file.path}`**: {counted(file.lines, 'line')}" + (f", imported as `{file.module}`" if file.module else "")
    ]
    parts.append(_quoted(module.docstring) if module and module.docstring else "")
    parts.append(outline(repository, file.path))
    inside = [each for each in repository.codebase.imports(file.path) if each.target]
    if inside:
        targets = [f"`{path}`" for path in dict.fromkeys(each.target for each in inside)]
        parts.append(f"It imports from {few(targets, 10)}.")
    users = list(dict.fromkeys(each.path for each in repository.codebase.importers(file.path)))
    users.sort(key=lambda path: (is_test(path), path))
    if users:
        shown = few([f"`{path}`" for path in users])
        parts.append(f"Imported by {counted(len(users), 'file')}: {shown}.")
    if not parts[1] and not parts[2]:
        head = "\n".join(repository.text(file.path).splitlines()[:30])
        parts.append(block(head, file.language) if head else "It is empty.")
    return "\n\n".join(part for part in parts if part)


def outline(repository: Repository, path: str) -> str:
    """The functions, classes and constants at the top of a file, each with its first sentence."""
    module = repository.codebase.module(path)
    members = repository.codebase.members(module) if module else []
    items = []
    for each in members:
        if each.kind not in {"function", "class"} and not (each.name.isupper() and not each.name.startswith("_")):
            continue
        about = first_sentence(each.docstring)
        items.append(
            f"{each.kind} {code(repository.called_as(each))} (line {each.line}){f': {about}' if about else ''}"
        )
    return f"It defines:\n\n{bullets(items, limit=_FILES)}" if items else ""


def _folder(repository: Repository, folder: str) -> str:
    files = [file for file in repository.codebase.files if file.path.startswith(folder + "/")]
    lines = sum(file.lines for file in files)
    parts = [f"**`{folder}/`**: {counted(len(files), 'file')}, {counted(lines, 'line')}"]
    start = repository.codebase.module(f"{folder}/__init__.py")
    parts.append(_quoted(start.docstring) if start and start.docstring else "")
    scores = dict(repository.rank)
    files.sort(key=lambda file: -scores.get(file.path, 0.0))
    items = []
    for file in files:
        module = repository.codebase.module(file.path)
        about = first_sentence(module.docstring) if module else ""
        names = (
            [each.name for each in repository.codebase.members(module) if each.kind in {"class", "function"}]
            if module
            else []
        )
        tells = about or ", ".join(f"`{name}`" for name in names[:6])
        items.append(f"`{file.path}` ({counted(file.lines, 'line')}){f': {tells}' if tells else ''}")
    parts.append(f"Its files, the most referred to first:\n\n{bullets(items, limit=_FILES)}" if items else "")
    return "\n\n".join(part for part in parts if part)
