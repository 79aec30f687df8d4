"""What a clause is about: the names it gives literally, those it says in plain words, and those it points back to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from contexten.engines.analyst.understanding.wordings import COUNTABLE
from contexten.engines.analyst.understanding.words import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.engines.analyst.understanding.literals import Literal

MAX_SUBJECTS = 4

TRIMMED = " \t,.:;-\u2013\u2014*•>#\"'()"
_POINTED = "function|method|class|file|module|one|symbol|code|variable|constant|folder|package"
PRONOUN = re.compile(
    rf"\b(?:it|its|they|them|their)\b|\b(?:this|that|these|those|same) (?:{_POINTED})(?:e?s)?\b(?! ?base)"
    r"|\b(?:this|that|these|those)$|\b(?:this|that) (?=(?:do|does|work|works|is|mean|means|get|gets|call|use)\b)",
    re.IGNORECASE,
)
"""Words that point at something named before. A `that` that begins a relative clause is none of them."""
_ARTICLES = re.compile(
    r"^(?:(?:the|an?|our|my|this|that|all|any|every|each|some|of|for|to|in|by|from|on) )+", re.IGNORECASE
)
_KIND = r"function|method|class|module|file|variable|constant|package|symbol|folder|directory|field|attribute|name"
_KIND_BEFORE = re.compile(rf"^(?:{_KIND})(?:e?s)? (?:called |named )?", re.IGNORECASE)
_KIND_AFTER = re.compile(rf" (?:{_KIND}|object|type|exception|error class)(?:e?s)?$", re.IGNORECASE)
_COUNTED = re.compile(COUNTABLE, re.IGNORECASE)
_LISTING = re.compile(r",? and |,? or |, ")
_ASIDE = frozenset({"total", "altogether", "overall", "public", "private", "room", "package", "folder", "directory"})
_ASKING_VALUE = frozenset({"default", "defaults", "value", "values", "initial", "initialized", "set", "current"})


class Names(Protocol):
    """What is known of the names in a codebase."""

    def resolve(self, phrase: str) -> str | None:
        """The name, path or dotted name in the code that a phrase stands for, or None."""
        ...


def literal_subjects(literals: Sequence[Literal], names: Names, *, doubtful: bool = False) -> tuple[str, ...]:
    """The names and paths among some literals.

    Unless `doubtful` ones are wanted, those that only look like a name give way to those that the code knows.
    """
    texts = [literal.text.rstrip("()") if literal.kind == "code" else literal.text for literal in literals]
    firm = [
        text
        for text, literal in zip(texts, literals, strict=True)
        if literal.kind in {"code", "path"} or "_" in text or "." in text or names.resolve(text)
    ]
    return tuple(dict.fromkeys(texts if doubtful else firm or texts))[:MAX_SUBJECTS]


def scope_of(literals: Sequence[Literal]) -> str | None:
    """The first path among some literals."""
    return next((literal.text for literal in literals if literal.kind == "path"), None)


def phrase_of(words: str) -> str:
    """Plain words that name a subject, without articles and without nouns that tell its kind."""
    phrase = words.strip(TRIMMED)
    for pattern in (_ARTICLES, _KIND_BEFORE, _ARTICLES):
        phrase = pattern.sub("", phrase)
    return _KIND_AFTER.sub("", phrase).strip(TRIMMED)


def counted_phrase(words: str) -> str:
    """What is left of `callers does charge have` without the noun that is counted: the one word that may be a name."""
    left = [word for word in significant(words) if not _COUNTED.fullmatch(word) and word.lower() not in _ASIDE]
    return left[0] if len(left) == 1 else ""


def value_phrase(words: str) -> str:
    """What is left of `the default pool size` without the words that ask for a value."""
    return " ".join(word for word in significant(words) if word.lower() not in _ASKING_VALUE)


def listed_names(phrase: str, names: Names) -> tuple[str, ...]:
    """The names in `charge and refund_order`, when the code knows each part of the list."""
    found = [names.resolve(part) for part in _LISTING.split(phrase)]
    known = tuple(dict.fromkeys(name for name in found if name))
    return known[:MAX_SUBJECTS] if len(found) > 1 and all(found) else ()


def named_by(phrase: str, names: Names) -> tuple[str, ...]:
    """What a phrase names in the code: a list, all of it, or two or three words of it together, or its capitalised words."""
    if not phrase:
        return ()
    if listed := listed_names(phrase, names):
        return listed
    words = phrase.split()
    runs = [words[start : start + length] for length in (3, 2) for start in range(len(words) - length + 1)]
    for text in (phrase, *(" ".join(run) for run in runs)):
        if name := names.resolve(text):
            return (name,)
    capitalised = (word.strip(TRIMMED) for word in words if word[:1].isupper())
    known = [name for word in capitalised if (name := names.resolve(word))]
    return tuple(dict.fromkeys(known))[:MAX_SUBJECTS]
