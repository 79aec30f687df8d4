"""One clause of a prompt on its way to a question: what it asks, and about what."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contexten.engines.analyst.understanding.intents import (
    COMMON_ASPECTS,
    NAMED,
    NEEDS_SUBJECT,
    SCOPED,
    TAKES_SUBJECT,
    Intent,
)
from contexten.engines.analyst.understanding.literals import Literal, Marked, without_marks
from contexten.engines.analyst.understanding.matching import Reading, read_aspect, read_clause
from contexten.engines.analyst.understanding.subjects import (
    PRONOUN,
    TRIMMED,
    Names,
    counted_phrase,
    listed_names,
    literal_subjects,
    named_by,
    phrase_of,
    scope_of,
    value_phrase,
)
from contexten.engines.analyst.understanding.words import is_document_name, ordinary, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

_AFTER_VERB = re.compile(
    r"\b(?:is|are|was|does|do|did|can|could|may|might|will|would|has) (?:the |our )?(?:(?:function|method|class) )?(?P<s>\w+)\b",
    re.IGNORECASE,
)
_ANYTHING = re.compile(
    r"(?:any|some)(?:thing|one|body)(?: else)?|we|you|i|(?:project|repo|repository|code ?base|app|code|system)|tests?",
    re.IGNORECASE,
)
_EXCEPTIONS = re.compile(r"exceptions|exception classes|error classes", re.IGNORECASE)
_SOMEWHERE = re.compile(r"\b(?:there|any|anywhere|anything)\b", re.IGNORECASE)
_ONE_IN_OTHER = re.compile(
    r"⟦(\d+)⟧(?: method| function)? (?:in|inside|within|from|of|on) (?:the )?(?:file |module |class )?⟦(\d+)⟧",
    re.IGNORECASE,
)
_IN_PLACE = re.compile(r"\b(?:in|inside|within|from|of|on) (?:the )?(?:file |module |class )?⟦\d+⟧", re.IGNORECASE)
_AGAIN = re.compile(r"^(?:(?:and|so|then|ok|okay) )*(?:what|how) about\b|^and\b", re.IGNORECASE)
_WHICH = re.compile(
    r"^(?:please )?(?:which|what|list|show|find|are there)\b(?: \w+){0,3} (?:functions|methods|classes|definitions)\b"
    r"|^what (?:is|are) \w+$",
    re.IGNORECASE,
)
_HOW = re.compile(r"(?:and |so )*(?:how|why)\b", re.IGNORECASE)
_SPARE_WORDS = 3
_SPARE = frozenset(
    {"failure", "failures", "fails", "error", "errors", "exception", "exceptions", "automatically", "ever"}
)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a prompt asks."""

    intent: Intent
    text: str
    """The part of the prompt that asks it, as it was written."""
    subjects: tuple[str, ...] = ()
    detail: str = ""
    """Which aspect of a body is asked, or what is to be counted."""
    scope: str | None = None
    """Folder or file to which it is limited."""


class Clause:
    """A clause on its way to a question."""

    def __init__(self, clause: str, marked: Marked, names: Names, before: Sequence[Question]) -> None:
        self.clause = clause
        self.marked = marked
        self.names = names
        self.before = before
        self.text = marked.restore(clause)
        self.literals = marked.in_clause(clause)
        self.quoted = tuple(literal.text for literal in self.literals if literal.kind == "text")

    def question(self) -> Question | None:
        """The question that it asks; None when it asks nothing."""
        found = self.read()
        if found is None or found.intent is not Intent.SEARCH or found.subjects:
            return found
        document = next((word for word in significant(self.text) if is_document_name(word)), "")
        return replace(found, intent=Intent.EXPLAIN, subjects=(document,)) if document else found

    def read(self) -> Question | None:
        """The same, before it is seen that a search would be for a document such as the README."""
        reading = read_clause(self.clause)
        if reading.intent is None:
            return self.unread()
        if self.quoted and reading.intent in SCOPED and self.asks_for_text(reading.intent):
            intent = Intent.COUNT if reading.intent is Intent.COUNT else Intent.TEXT
            return Question(intent, self.text, self.quoted, reading.detail, scope_of(self.literals))
        question = Question(reading.intent, self.text, detail=self.marked.restore(reading.detail))
        if reading.intent is Intent.RELATION:
            return self.relation(question, reading)
        subjects = self.listed(reading.subject) or literal_subjects(self.literals, self.names)
        if subjects:
            return self.scoped(replace(question, subjects=subjects))
        return self.about(question, reading) if reading.intent in TAKES_SUBJECT else question

    def listed(self, words: str) -> tuple[str, ...]:
        """The names in `charge and ⟦0⟧`, where some are plain words that the code knows and some are literals."""
        if not self.literals or not without_marks(words).strip(TRIMMED):
            return ()
        return listed_names(self.marked.restore(words), self.names)

    def asks_for_text(self, intent: Intent) -> bool:
        """Whether what it quotes is text to look for, and not a name."""
        return intent is Intent.TEXT or not any(self.names.resolve(text) for text in self.quoted)

    def scoped(self, question: Question) -> Question:
        """Where a name and a path are given, the path is the place in which the name is looked for."""
        scope = scope_of(self.literals)
        if both := self.both(question):
            return replace(question, subjects=(both,))
        if len(question.subjects) == 1 and (inner := _IN_PLACE.search(self.clause)):
            return self.within(question, self.clause[: inner.start()])
        others = tuple(subject for subject in question.subjects if subject != scope)
        return replace(question, subjects=others, scope=scope) if others and question.intent in SCOPED else question

    def both(self, question: Question) -> str:
        """`f` in `path` and `m` of `SomeClass`, both named literally, are one definition where there is such a one."""
        found = _ONE_IN_OTHER.search(self.clause)
        if found is None or question.intent in {Intent.CALLERS, Intent.USES, Intent.TEXT, Intent.COUNT}:
            return ""
        name, place = (self.marked.literals[int(found[number])] for number in (1, 2))
        both = f"{place.text}{':' if place.kind == 'path' else '.'}{name.text}"
        return both if self.names.resolve(both) else ""

    def within(self, question: Question, before: str) -> Question:
        """Plain words before `in path/to/file.py` or `in SomeClass`: one of them may be a definition in it."""
        place = question.subjects[0]
        path = place == scope_of(self.literals)
        for word in reversed(significant(without_marks(before))):
            if path and question.intent in {Intent.CALLERS, Intent.USES} and self.names.resolve(word) == word:
                return replace(question, subjects=(word,), scope=place)
            inner = f"{place}:{word}" if path else f"{place}.{word}"
            if self.names.resolve(inner):
                return replace(question, subjects=(inner,))
        return question

    def about(self, question: Question, reading: Reading) -> Question:
        """Find the subject in plain words, or in what was named before."""
        phrase = phrase_of(
            reading.subject or (counted_phrase(reading.detail) if question.intent is Intent.COUNT else "")
        )
        if question.intent is Intent.ASPECT and self.stands_alone():
            return self.unnamed(question, phrase)
        pointing = not phrase or bool(PRONOUN.fullmatch(phrase) or PRONOUN.match(reading.subject))
        inherited = self.inherited() if pointing or PRONOUN.search(self.clause) else ()
        if _EXCEPTIONS.fullmatch(phrase) and question.intent in {Intent.DEFINE, Intent.SUBCLASSES, Intent.EXPLAIN}:
            return replace(question, subjects=("Exception",), intent=Intent.SUBCLASSES)
        known = named_by(phrase, self.names)
        if known and question.intent is Intent.EXPLAIN and _HOW.match(self.clause):
            return replace(question, subjects=known, intent=Intent.SEARCH)
        if known or inherited:
            return replace(question, subjects=known or (inherited if self.inherits(question, reading) else ()))
        named = (
            question.intent is Intent.TEXT
            or is_document_name(phrase)
            or (" " not in phrase and question.intent in NAMED)
        )
        if phrase and named and not pointing and not ordinary(phrase):
            return replace(question, subjects=(phrase,))
        return self.unnamed(question, phrase) if question.intent in NEEDS_SUBJECT else question

    def relation(self, question: Question, reading: Reading) -> Question:
        """Whether one thing refers to another; whether anything does at all, when the first is nothing in particular."""
        other = self.side(reading.other)
        if _ANYTHING.fullmatch(phrase_of(reading.subject)) and other:
            called = re.search(r"\b(?:call|invoke)", self.clause, re.IGNORECASE)
            return replace(question, intent=Intent.CALLERS if called else Intent.USES, subjects=other)
        first = self.side(reading.subject)
        if first and other:
            return replace(question, subjects=(first[0], other[0]))
        return replace(question, intent=Intent.SEARCH if significant(self.clause) else Intent.UNCLEAR)

    def side(self, words: str) -> tuple[str, ...]:
        """What one side of a relation names."""
        if literals := self.marked.in_clause(words):
            return literal_subjects(literals, self.names, doubtful=True)
        phrase = phrase_of(words)
        if PRONOUN.search(words):
            return self.inherited()
        return named_by(phrase, self.names) or (
            (phrase,) if phrase and " " not in phrase and not ordinary(phrase) else ()
        )

    def stands_alone(self) -> bool:
        """Whether it says what it is about, or asks about everything, instead of pointing at something."""
        if PRONOUN.search(self.clause):
            return False
        return len(significant(self.clause)) > 1 or bool(_SOMEWHERE.search(self.clause))

    def inherits(self, question: Question, reading: Reading) -> bool:
        """Questions that can do without a subject take one from before only when they point at it."""
        short = question.intent is Intent.TESTS and not reading.subject and len(self.clause.split()) < _SPARE_WORDS
        return question.intent in NEEDS_SUBJECT or short or bool(PRONOUN.search(self.clause))

    def unnamed(self, question: Question, phrase: str) -> Question:
        """A question that needs a subject and names none that is known."""
        value = value_phrase(self.clause) if question.detail == "value" else ""
        if value and (name := self.names.resolve(value)):
            return replace(question, subjects=(name,))
        if question.intent is Intent.ASPECT and (known := self.plain_subject() or named_by(self.clause, self.names)):
            words = {word for name in known for word in name.lower().split("_")}
            asked_by_name = any(word.startswith(question.detail[:5]) for word in words)
            return replace(question, subjects=known, intent=Intent.EXPLAIN if asked_by_name else Intent.ASPECT)
        if question.intent is Intent.ASPECT and question.detail in COMMON_ASPECTS and _WHICH.search(self.clause):
            return replace(question, intent=Intent.HAVING)
        pointing = PRONOUN.search(self.clause) and len(self.clause.split()) <= _SPARE_WORDS * 2
        told = phrase or question.intent is Intent.ASPECT
        unclear = pointing or not told or not significant(self.clause)
        return replace(question, intent=Intent.UNCLEAR if unclear else Intent.SEARCH)

    def plain_subject(self) -> tuple[str, ...]:
        """The lower-case word after the verb in `is charge retried`, when the code knows it and little else is said."""
        found = _AFTER_VERB.search(self.clause)
        others = [word for word in significant(self.clause) if not read_aspect(f"is {word}") and word not in _SPARE]
        if found is None or others != [found["s"]]:
            return ()
        return (found["s"],) if self.names.resolve(found["s"]) == found["s"] else ()

    def inherited(self) -> tuple[str, ...]:
        """What was asked about last; at the beginning of a prompt, what is named later in it."""
        asked = (question for question in reversed(self.before) if question.intent is not Intent.TEXT)
        later = [literal for literal in self.marked.literals if literal.kind != "text"]
        return next((question.subjects for question in asked if question.subjects), literal_subjects(later, self.names))

    def unread(self) -> Question | None:
        """A clause of no known wording: about what it names, or else a search for its words."""
        plain: list[Literal] = [literal for literal in self.literals if literal.kind != "text"]
        subjects = literal_subjects(plain, self.names)
        if not subjects and not self.quoted and (name := self.names.resolve(phrase_of(_AGAIN.sub("", self.clause)))):
            subjects = (name,)
        if subjects and self.before and _AGAIN.match(self.clause):
            return replace(self.before[-1], text=self.text, subjects=subjects)
        if subjects and len(significant(self.clause)) <= len(subjects) + _SPARE_WORDS:
            return Question(Intent.EXPLAIN, self.text, subjects)
        if self.quoted and not subjects:
            return Question(Intent.TEXT, self.text, self.quoted)
        return Question(Intent.SEARCH, self.text, subjects) if significant(self.text) else None
