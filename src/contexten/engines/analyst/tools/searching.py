"""Search for what a prompt is about: the answer of last resort, and context for those who change code."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from contexten.engines.analyst.descriptions import entry, first_sentence, full_name
from contexten.engines.analyst.markdown import bullets, code, joined
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.understanding.words import stem

if TYPE_CHECKING:
    from contexten.codebase import Symbol, TextMatch
    from contexten.engines.analyst.repository import Repository

_FILES = 5
_IN_FILE = 4
_LINES = 6
_MATCHES = 5000
_WORDS = 8
_BUDGET = 6000
_LOOKED_AT = 60
_BODY_LINES = 200
_WEAK = 0.4
_NEAR = 5
_IMPORT = re.compile(r"(?:from|import)\s")


class _Fit(NamedTuple):
    """How well a definition fits a prompt."""

    symbol: Symbol
    score: float


def search(repository: Repository, prompt: str, words: list[str]) -> Finding:
    """The definitions that a prompt is about, by file and relevance, and the lines that hold most of its words."""
    words = [word for word in words if word.lower() != repository.name.lower()] or words
    symbols = _by_file(_fits(repository, prompt, words))
    lines = _lines(repository, words, {(each.path, each.line) for each in symbols})
    if not symbols and not lines:
        return _nothing(repository, words)
    said = [
        f"This is a search for {joined([code(word) for word in words])}, not an answer in words: that takes a model."
    ]
    if symbols:
        said.append(
            f"Where to read, the best file first:\n\n{bullets([_item(repository, symbol) for symbol in symbols])}"
        )
    if lines:
        items = [_line(repository, match) for match in lines]
        said.append(f"Lines that fit best:\n\n{bullets(items)}")
    if not symbols and (near := _near(repository, words)):
        said.append(f"Names that are spelled alike: {near}.")
    if repository.unread:
        said.append(repository.unread)
    first = symbols[0].location if symbols else f"{lines[0].path}:{lines[0].line}"
    data = {"words": words, "definitions": [entry(symbol) for symbol in symbols]}
    data["places"] = [f"{match.path}:{match.line}" for match in lines]
    return Finding(f"best: {first}", "\n\n".join(said), data)


def _fits(repository: Repository, prompt: str, words: list[str]) -> list[_Fit]:
    """What the index thinks relevant, weighed by how many of the words the definition itself holds."""
    items = repository.codebase.relevant_context(" ".join(words) or prompt, budget_tokens=_BUDGET).items[:_LOOKED_AT]
    stems = list(dict.fromkeys(stem(word) for word in words[:_WORDS]))
    found = []
    for item in items:
        if item.symbol.kind in {"variable", "attribute"} and not item.reason.startswith(("about", "named")):
            continue
        text = _text(repository, item.symbol)
        held = sum(word in text for word in stems) / len(stems) if stems else 1.0
        found.append(_Fit(item.symbol, item.score * held**2 * (0.5 if is_test(item.symbol.path) else 1.0)))
    best = max((fit.score for fit in found), default=0.0)
    kept = [fit for fit in found if fit.score >= best * _WEAK and fit.score > 0]
    return sorted(kept, key=lambda fit: (-fit.score, fit.symbol.path, fit.symbol.line))


def _text(repository: Repository, symbol: Symbol) -> str:
    last = min(symbol.end_line, symbol.line + _BODY_LINES)
    lines = repository.text(symbol.path).splitlines()[symbol.line - 1 : last]
    return f"{symbol.qualified_name}\n{symbol.path}\n{chr(10).join(lines)}".lower()


def _by_file(fits: list[_Fit]) -> list[Symbol]:
    """The best of each file, the file with the best of all first."""
    files: dict[str, list[Symbol]] = {}
    for fit in fits:
        kept = files.setdefault(fit.symbol.path, [])
        if len(kept) < _IN_FILE:
            kept.append(fit.symbol)
    return list(chain.from_iterable(islice(files.values(), _FILES)))


def _item(repository: Repository, symbol: Symbol) -> str:
    about = first_sentence(symbol.docstring)
    if symbol.kind in {"variable", "attribute"}:
        about = code(repository.line(symbol.path, symbol.line))
    return f"`{full_name(symbol)}` ({symbol.kind}, `{symbol.location}`){f': {about}' if about else ''}"


def _line(repository: Repository, match: TextMatch) -> str:
    around = [
        each
        for each in repository.codebase.symbols_in(match.path)
        if each.line <= match.line <= each.end_line and each.kind in {"function", "method", "class"}
    ]
    inner = max(around, key=lambda each: each.line, default=None)
    where = f" in `{full_name(inner)}`" if inner else ""
    return f"`{match.path}:{match.line}`{where}: {code(match.text)}"


def _lines(repository: Repository, words: list[str], taken: set[tuple[str, int]]) -> list[TextMatch]:
    """Lines with most of the words; rarer words weigh more, tests less."""
    stems = list(dict.fromkeys(stem(word) for word in words[:_WORDS]))
    if not stems or (taken and len(stems) == 1):
        return []  # definitions tell more than lines that share one word
    pattern = rf"(?<![A-Za-z])(?:{'|'.join(re.escape(word) for word in stems)})"
    matches = [
        match
        for match in repository.search_text(f"(?i:{pattern})", limit=_MATCHES, regex=True)
        if not _IMPORT.match(match.text)
    ]
    words_of = {match: {word for word in stems if word in match.text.lower()} for match in matches}
    number = Counter(word for found in words_of.values() for word in found)
    scores = {
        match: sum(1 / number[word] for word in found) / (1 + is_test(match.path)) for match, found in words_of.items()
    }
    most = max((len(found) for found in words_of.values()), default=0)
    if most == 1 and taken and not any(word.isdigit() for word in stems):
        return []
    enough = [
        match for match in scores if len(words_of[match]) >= min(most, 2) and (match.path, match.line) not in taken
    ]
    return sorted(enough, key=lambda match: (-len(words_of[match]), -scores[match], match.path, match.line))[:_LINES]


def _nothing(repository: Repository, words: list[str]) -> Finding:
    if not words:
        said = "The prompt has no word that I can search for. Name a function, class, file or text."
        return Finding("nothing to search for", said, {"places": []})
    said = f"I searched names, documentation and lines for {joined([code(word) for word in words])} and found nothing."
    if near := _near(repository, words):
        said += f" Names that are spelled alike: {near}."
    if repository.unread:
        said += f" {repository.unread}"
    return Finding("nothing found", said, {"words": words, "places": []}, found=False)


def _near(repository: Repository, words: list[str]) -> str:
    near = list(dict.fromkeys(near for word in words for near in repository.near(word)))
    return joined([f"`{name}`" for name in near[:_NEAR]], "or")
