"""Search for the words of a prompt over names, documentation and lines: the answer of last resort, and context for others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from contexten.engines.analyst.ground import is_test
from contexten.engines.analyst.markdown import bullets, code, joined
from contexten.engines.analyst.step import Finding
from contexten.engines.analyst.tools.explaining import first_sentence
from contexten.engines.analyst.tools.finding import described, entry
from contexten.engines.analyst.words import parts, stem

if TYPE_CHECKING:
    from contexten.codebase import Symbol, TextMatch
    from contexten.engines.analyst.ground import Ground

_PLACES = 8
_LINES = 8
_MATCHES = 400
_WORDS = 8


def search(ground: Ground, words: list[str], scope: str | None = None) -> Finding:
    """The definitions and lines that have most of the words, the rarer words weighing more."""
    wanted = list(dict.fromkeys(stem(part) for word in words for part in parts(word)))[:_WORDS]
    if not wanted:
        return Finding(
            "nothing to search for",
            "The prompt has no word that I can search for. Name a function, class, file or text.",
        )
    lines = {word: _in_scope(ground.codebase.search_text(word, limit=_MATCHES), scope) for word in wanted}
    total = len(ground.codebase.files) + 1
    weights = {
        word: math.log(1 + total / (1 + len({match.path for match in found}))) if found else 0.0
        for word, found in lines.items()
    }
    matches = sorted((match for found in lines.values() for match in found), key=lambda match: is_test(match.path))
    symbols = _symbols(ground, wanted, weights, matches, scope)
    places = _lines(lines, weights, {(each.path, each.line) for each, _ in symbols})
    if not symbols and not places:
        near = [near for word in words for near in ground.near(word)][:5]
        said = (
            f"I searched names, documentation and lines for {joined([code(word) for word in words])} and found nothing."
        )
        if near:
            said += f" Names that are spelled alike: {joined([f'`{each}`' for each in near], 'or')}."
        return Finding("nothing found", said, {"words": words, "places": []}, found=False)
    return _answer(words, symbols, places, {word for word in wanted if not lines[word]})


def _symbols(
    ground: Ground, wanted: list[str], weights: dict[str, float], matches: list[TextMatch], scope: str | None
) -> list[tuple[Symbol, float]]:
    scores = dict(ground.rank)
    top = max(scores.values(), default=1.0) or 1.0
    found = []
    for symbol in ground.candidates(wanted, matches):
        if scope and not symbol.path.startswith(scope.rstrip("/")):
            continue
        score = _score(symbol, wanted, weights)
        if score > 0:
            score *= 1 + 0.3 * scores.get(symbol.path, 0.0) / top
            score *= 0.4 if is_test(symbol.path) else 1.0
            found.append((symbol, score))
    found.sort(key=lambda each: (-each[1], each[0].path, each[0].line))
    best = found[0][1] if found else 0.0
    return [each for each in found if each[1] >= best * 0.35][:_PLACES]


def _score(symbol: Symbol, wanted: list[str], weights: dict[str, float]) -> float:
    name = {stem(part) for part in parts(symbol.name)}
    around = {stem(part) for part in parts(symbol.qualified_name)} | {stem(part) for part in parts(symbol.path)}
    about = {stem(part) for part in parts(first_sentence(symbol.docstring))} if symbol.docstring else set()
    score = 0.0
    for word in wanted:
        if word in name:
            score += 3.0 * weights[word] / math.sqrt(len(name))
        elif word in about:
            score += 1.5 * weights[word]
        elif word in around:
            score += 1.0 * weights[word]
    covered = sum(word in name or word in about or word in around for word in wanted)
    kind = {"class": 1.15, "function": 1.1, "method": 1.0}.get(symbol.kind, 0.6)
    return score * kind * math.sqrt(covered / len(wanted))


def _lines(
    lines: dict[str, list[TextMatch]], weights: dict[str, float], taken: set[tuple[str, int]]
) -> list[TextMatch]:
    scores: dict[tuple[str, int], float] = {}
    matches: dict[tuple[str, int], TextMatch] = {}
    for word, found in lines.items():
        for match in found:
            place = (match.path, match.line)
            matches[place] = match
            scores[place] = scores.get(place, 0.0) + weights[word] * (0.5 if is_test(match.path) else 1.0)
    several = {place for place in scores if sum(word in matches[place].text.lower() for word in lines) > 1}
    pool = several or set(scores)
    ranked = sorted(pool - taken, key=lambda place: (-scores[place], place))
    return [matches[place] for place in ranked[:_LINES]]


def _in_scope(found: list[TextMatch], scope: str | None) -> list[TextMatch]:
    return [match for match in found if not scope or match.path.startswith(scope.rstrip("/"))]


def _answer(
    words: list[str], symbols: list[tuple[Symbol, float]], places: list[TextMatch], absent: set[str]
) -> Finding:
    said = [f"This is a search result for {joined([code(word) for word in words])}, not an answer to the question."]
    if symbols:
        items = []
        for symbol, _ in symbols:
            about = first_sentence(symbol.docstring)
            items.append(f"`{symbol.name}` ({described(symbol)}, `{symbol.location}`){f': {about}' if about else ''}")
        said.append(f"Definitions that fit best:\n\n{bullets(items)}")
    if places:
        said.append(
            "Lines that fit best:\n\n"
            + bullets([f"`{match.path}:{match.line}`: {code(match.text.strip())}" for match in places])
        )
    if absent:
        said.append(f"Not found anywhere: {joined([code(word) for word in sorted(absent)])}.")
    first = symbols[0][0].location if symbols else f"{places[0].path}:{places[0].line}"
    data: dict[str, Any] = {"words": words, "definitions": [entry(symbol) for symbol, _ in symbols]}
    data["places"] = [f"{match.path}:{match.line}" for match in places]
    return Finding(f"best: {first}", "\n\n".join(said), data)
