"""Words in names and texts, so that `UploadClient`, `upload_clients` and "uploading" meet."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_PLAIN_WORD = r"(?<![\w.])[^\W\d_][^\W\d_A-Z]*(?![\w(]|\.\w)"
_PLAIN_RUN = re.compile(rf"{_PLAIN_WORD}(?:[\s-]+{_PLAIN_WORD})*")
_COMMON_WORDS = """
a an and any are as at be by can do does for from has have how i if in into is it its may must no not of on or
our self cls should so such that the their them then there these this those to up use used uses using was we
what when where which who will with you your none true false return returns def class
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_MIN_STEM = 3


@lru_cache(maxsize=65536)
def words_of(name: str) -> tuple[str, ...]:
    """The words of an identifier, in lower case and without endings."""
    parts = (part.lower() for part in _PART.findall(name))
    return tuple(stem(part) for part in parts if part not in _COMMON and len(part) > 1)


def words_in(text: str) -> Iterator[str]:
    """The words of a text, those inside identifiers included."""
    for name in _IDENTIFIER.findall(text):
        yield from words_of(name)


def plain_words_in(text: str) -> list[list[str]]:
    """The words of a text in runs that names of code, numbers and punctuation end."""
    runs = (_IDENTIFIER.findall(run) for run in _PLAIN_RUN.findall(text))
    return [[word for each in run for word in words_of(each)] for run in runs]


def identifiers_in(text: str) -> list[str]:
    """What may be names of code in a text, dotted ones whole, in order and once each."""
    return list(dict.fromkeys(re.findall(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*", text)))


def stem(word: str) -> str:
    """A word without the ending of a plural, participle or past tense."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM and not word.endswith("ss"):
            return _without_e(word[: len(word) - len(ending)] + instead)
    return _without_e(word)


def _without_e(word: str) -> str:
    if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] not in "aeilso":
        return word[:-1]
    return word[:-1] if len(word) > _MIN_STEM + 1 and word.endswith("e") else word
