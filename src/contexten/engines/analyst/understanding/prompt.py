"""Understanding a prompt without a model: the questions in it, each with its kind and what it is about."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from contexten.engines.analyst.understanding.clause import Clause, Question
from contexten.engines.analyst.understanding.intents import Intent
from contexten.engines.analyst.understanding.literals import Marked, mark
from contexten.engines.analyst.understanding.subjects import PRONOUN, TRIMMED, Names
from contexten.engines.analyst.understanding.wordings import CHANGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contexten.engines.base import Exchange

MAX_QUESTIONS = 8
_READ_CHARACTERS = 20_000
_READ_SENTENCE = 2000
_READ_CLAUSE = 400
_READ_CLAUSES = 40
_TURNS = 5

_SENTENCE_END = re.compile(r"[?!;]+|[\n\r]+|\.(?=\s|$)|:(?=\s)")
_ASKING = (
    r"who|whom|whose|what|where|how|why|when|list|show|find|explain|describe|count|tell|summari[sz]e|give|grep|search|locate"
    r"|(?:is|are|does|do|did|can|has) (?:it|they|that|this|there|any|we|the|⟦\d+⟧)"
)
_JOINT = re.compile(
    rf"(?:,\s*(?:and |also |then |plus |but )?|\s(?:and|also|then|plus|but) (?:also |then )?)(?=(?:{_ASKING})(?:\b|(?<=⟧)))"
    rf"|\sand (?=which\b)"
    r"|\s?(?:,|\band) (?:the |its |any )?(?=(?:dependencies|entry ?points?|tests|callers|callees|subclasses|usages|importers|recent changes)\b)"
    rf"|,?\s(?:and|then) (?=(?:then )?{CHANGE}\s+(?:an?|the|it|its|tests?|all|some|this|that|⟦))",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:who|what|where|which|how|why|when|is|are|does|do|did|can|has|have|was|were)\b", re.IGNORECASE
)
_SEEKING = re.compile(r"^(?:please )?(?:find|search|locate|grep|look (?:for|up))\b", re.IGNORECASE)
_CONTRACTED = re.compile(r"\b(what|where|who|how)['\u2019]?s\b", re.IGNORECASE)
_NUMBERING = re.compile(r"^\d{1,2}[.)]\s+")
_OF_THEM = re.compile(r"(?:of )?(?:them|these|those)?\s*(?:are (?:there|they))?", re.IGNORECASE)


def understand(prompt: str, names: Names, history: Sequence[Exchange] = ()) -> list[Question]:
    """The questions in a prompt, at most `MAX_QUESTIONS`; never empty.

    A subject that is not named (`it`, `that function`, or none at all) is the last one named before, in this prompt or in
    the earlier turns.
    """
    before: list[Question] = []
    for exchange in history[-_TURNS:]:
        before += _questions(exchange.prompt, names, before)
    questions = _questions(prompt, names, before)
    return questions[:MAX_QUESTIONS] or [Question(Intent.HELP, prompt.strip())]


def _questions(prompt: str, names: Names, before: Sequence[Question]) -> list[Question]:
    marked = mark(prompt[:_READ_CHARACTERS], lambda word: names.resolve(word) == word)
    found = _read(marked, names, before)
    alone = _read(marked, names, ()) if before else found
    named = next((question for question in alone if question.subjects), None)
    if named and alone[0].intent is Intent.UNCLEAR and not (before and PRONOUN.search(alone[0].text)):
        found = _read(marked, names, [*before, named])  # "callers and tests of X": the name comes last
    return _settled(found)


def _read(marked: Marked, names: Names, before: Sequence[Question]) -> list[Question]:
    found: list[Question] = []
    for clause in _clauses(marked.text):
        question = Clause(clause, marked, names, [*before, *found]).question()
        if question is not None:
            found.append(question)
    return found


def _clauses(text: str) -> Iterable[str]:
    parts = (part for sentence in _SENTENCE_END.split(text) for part in _JOINT.split(sentence[:_READ_SENTENCE]))
    clauses = (_NUMBERING.sub("", part.strip(TRIMMED)).strip(TRIMMED)[:_READ_CLAUSE] for part in parts)
    for clause in itertools.islice(filter(None, clauses), _READ_CLAUSES):
        yield _CONTRACTED.sub(r"\1 is", " ".join(clause.split()))


def _settled(questions: list[Question]) -> list[Question]:
    """Without remarks: clauses that ask nothing are dropped where others do; all requests to change code become one."""
    writing = [question for question in questions if question.intent is Intent.WRITE]
    asking = [question for question in questions if question.intent not in {Intent.WRITE, Intent.SEARCH, Intent.HELP}]
    # "and how many are there?" after a list asks for nothing that the list does not tell
    told = [q for q in asking if not (q.intent is Intent.COUNT and not q.subjects and _OF_THEM.fullmatch(q.detail))]
    asking = told or asking
    if writing:
        subjects = dict.fromkeys(subject for question in questions for subject in question.subjects)
        request = replace(writing[0], subjects=tuple(subjects)[:4])
        return [*(question for question in asking if _OPENING.match(question.text)), request]
    if asking:
        return [q for q in questions if q in asking or (q.intent is Intent.SEARCH and _seeks(q.text))]
    return [question for question in questions if question.intent is Intent.SEARCH] or questions


def _seeks(text: str) -> bool:
    """Whether words of no known meaning were asked for, and are more than a remark or a wish about the answer."""
    return bool(_OPENING.match(text) or _SEEKING.match(text))
