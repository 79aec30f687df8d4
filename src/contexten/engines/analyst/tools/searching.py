"""Search for what a prompt is about: the answer of last resort, and context for those who change code."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from contexten.engines.analyst.descriptions import described, entry, first_sentence
from contexten.engines.analyst.markdown import bullets, code, joined
from contexten.engines.analyst.paths import is_test
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.understanding.words import stem

if TYPE_CHECKING:
    from contexten.codebase import Symbol, TextMatch
    from contexten.engines.analyst.repository import Repository

_PLACES = 8
_LINES = 6
_MATCHES = 5000
_WORDS = 8
_BUDGET = 6000
_WEAK = 0.4
_NEAR = 5
_IMPORT = re.compile(r"(?:from|import)\s")


def search(repository: Repository, prompt: str, words: list[str]) -> Finding:
    """The definitions that a prompt is about, by relevance, and the lines that hold most of its words."""
    symbols = _symbols(repository, prompt)
    lines = _lines(repository, words, {(each.path, each.line) for each in symbols})
    if not symbols and not lines:
        return _nothing(repository, words)
    said = [
        f"This is a search for {joined([code(word) for word in words])}, not an answer in words: that takes a model."
    ]
    if symbols:
        said.append(f"Definitions that fit best:\n\n{bullets([_item(symbol) for symbol in symbols])}")
    if lines:
        items = [f"`{match.path}:{match.line}`: {code(match.text)}" for match in lines]
        said.append(f"Lines that fit best:\n\n{bullets(items)}")
    if not symbols and (near := _near(repository, words)):
        said.append(f"Names that are spelled alike: {near}.")
    first = symbols[0].location if symbols else f"{lines[0].path}:{lines[0].line}"
    data = {"words": words, "definitions": [entry(symbol) for symbol in symbols]}
    data["places"] = [f"{match.path}:{match.line}" for match in lines]
    return Finding(f"best: {first}", "\n\n".join(said), data)


def _symbols(repository: Repository, prompt: str) -> list[Symbol]:
    items = repository.codebase.relevant_context(prompt, budget_tokens=_BUDGET).items
    best = items[0].score if items else 0.0
    found: dict[tuple[str, str], Symbol] = {}
    for item in items:
        if item.score >= best * _WEAK:
            found[item.symbol.path, item.symbol.qualified_name] = item.symbol
    return sorted(list(found.values())[:_PLACES], key=lambda symbol: is_test(symbol.path))


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
    if most == 1 and taken:
        return []
    enough = [
        match for match in scores if len(words_of[match]) >= min(most, 2) and (match.path, match.line) not in taken
    ]
    return sorted(enough, key=lambda match: (-len(words_of[match]), -scores[match], match.path, match.line))[:_LINES]


def _item(symbol: Symbol) -> str:
    about = first_sentence(symbol.docstring)
    return f"`{symbol.name}` ({described(symbol)}, `{symbol.location}`){f': {about}' if about else ''}"


def _nothing(repository: Repository, words: list[str]) -> Finding:
    if not words:
        said = "The prompt has no word that I can search for. Name a function, class, file or text."
        return Finding("nothing to search for", said, {"places": []})
    said = f"I searched names, documentation and lines for {joined([code(word) for word in words])} and found nothing."
    if near := _near(repository, words):
        said += f" Names that are spelled alike: {near}."
    return Finding("nothing found", said, {"words": words, "places": []}, found=False)


def _near(repository: Repository, words: list[str]) -> str:
    near = list(dict.fromkeys(near for word in words for near in repository.near(word)))
    return joined([f"`{name}`" for name in near[:_NEAR]], "or")
