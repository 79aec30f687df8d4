"""Find a name: where it is defined, what it is, and what is near when it is not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import described
from contexten.engines.analyst.manifests import Manifests
from contexten.engines.analyst.markdown import bullets, code, counted, joined, shorten
from contexten.engines.analyst.paths import language_name
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.understanding.words import is_document_name

if TYPE_CHECKING:
    from contexten.engines.analyst.lookup import Found
    from contexten.engines.analyst.repository import Repository

MAX_SHOWN = 12
_TEXT_PLACES = 6


def find(repository: Repository, name: str) -> Finding:
    """Where a name is defined; with what is spelled alike, and where the text stands, when it is not."""
    found = repository.find(name)
    if not found:
        return _missing(repository, name)
    places = [symbol.location for symbol in found.symbols] + [file.path for file in found.files]
    places += [place for place in (found.folder, found.document, found.package) if place]
    data = {"name": found.name, "places": places[:MAX_SHOWN], "count": len(places)}
    answer = _answer(repository, found)
    if _differs_in_case(name, found):
        answer = f"Nothing is named {code(name)} exactly as written; upper and lower case apart: {answer}"
        data["exact"] = False
    return Finding(_line(found, places), answer, data)


def _differs_in_case(name: str, found: Found) -> bool:
    last = name.rpartition(".")[2].removesuffix("()")
    return bool(found.symbols) and last.lower() == found.symbols[0].name.lower() and last != found.symbols[0].name


def _line(found: Found, places: list[str]) -> str:
    if places == [found.name] and (found.document or found.package):
        return found.name
    if places == [found.name]:
        return f"{found.name}, {counted(found.files[0].lines, 'line')}" if found.files else f"{found.name}/"
    return f"{found.name} → " + (places[0] if len(places) == 1 else f"{len(places)} places, first {places[0]}")


def _answer(repository: Repository, found: Found) -> str:
    if len(found.symbols) == 1 and not found.files:
        symbol = found.symbols[0]
        size = f" ({symbol.end_line - symbol.line + 1} lines)" if symbol.end_line > symbol.line else ""
        article = "an" if symbol.kind == "attribute" else "a"
        return f"`{found.name}` is {article} {described(symbol)}, defined at `{symbol.location}`{size}."
    if found.symbols:
        items = [
            f"`{each.location}`: {described(each)} {code(each.signature or each.qualified_name)}"
            for each in found.symbols
        ]
        items += [f"`{file.path}`: file" for file in found.files]
        head = f"`{found.name}` names {counted(len(items), 'thing')}:"
        return f"{head}\n\n{bullets(items, limit=MAX_SHOWN)}"
    return _package(repository, found.package) if found.package else _place(repository, found)


def _place(repository: Repository, found: Found) -> str:
    if found.folder:
        return f"`{found.folder}/` is a folder."
    if found.document:
        lines = repository.text(found.document).count("\n") + 1
        return f"`{found.document}` is a text file of {counted(lines, 'line')}."
    if len(found.files) == 1:
        file = found.files[0]
        return f"`{file.path}` is a {language_name(file.language)} file of {counted(file.lines, 'line')}."
    return f"`{found.name}` names {len(found.files)} files:\n\n" + bullets([f"`{file.path}`" for file in found.files])


def _package(repository: Repository, name: str) -> str:
    """A package that is imported but not defined here, with where the project declares it."""
    declared = [
        f"`{place}` ({code(each)})"
        for place, names in Manifests(repository.workspace).dependencies().items()
        for each in names
        if re.match(rf"{re.escape(name).replace('_', '[-_]')}(?![\w-])", each, re.IGNORECASE)
    ]
    where = f" It is declared in {joined(declared)}." if declared else ""
    return f"`{name}` is a package that the code imports and that is not defined here.{where}"


def _missing(repository: Repository, name: str) -> Finding:
    if is_document_name(name):
        answer = f"There is no file {code(name)} in {code(repository.name)}."
        return Finding(f"no {name}", answer, {"name": name, "places": []}, found=False)
    near = repository.near(name)
    texts = repository.search_text(name, limit=_TEXT_PLACES + 1)
    said = [f"Nothing named {code(name)} is defined in {code(repository.name)}."]
    if near:
        said.append(f"Similar names: {joined([_pointed(repository, each) for each in near], 'or')}.")
    if repository.unread:
        said.append(repository.unread)
    said.append("The text stands in:" if texts else "The text does not occur either.")
    answer = " ".join(said)
    if texts:
        items = [f"`{match.path}:{match.line}`: {code(match.text.strip())}" for match in texts[:_TEXT_PLACES]]
        more = "\n- … and more" if len(texts) > _TEXT_PLACES else ""
        answer += "\n\n" + bullets(items) + more
    line = f"{shorten(name, 60)} not found" + (f"; similar: {', '.join(near[:3])}" if near else "")
    return Finding(line, answer, {"name": name, "places": [], "near": near}, found=False)


def _pointed(repository: Repository, name: str) -> str:
    found = repository.find(name)
    where = found.symbols[0].location if found.symbols else found.files[0].path if found.files else ""
    return f"`{name}` (`{where}`)" if where and where != name else f"`{name}`"
