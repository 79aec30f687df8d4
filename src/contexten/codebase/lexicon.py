"""Which definitions are about which words: an inverted index with BM25 scores, brought up to date file by file."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from contexten.codebase.terms import words_in, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contexten.codebase.snapshot import Snapshot
    from contexten.codebase.unit import Unit

_NAME, _PARENT, _SIGNATURE, _DOCSTRING, _BODY, _PATH = 8, 2, 2, 2, 1, 1
"""How much a word counts by where it stands."""
_SATURATION, _LENGTH_SHARE = 1.2, 0.6
"""The usual k1 and, for documents as short as definitions, a slightly smaller b of BM25."""
_COUNT_BITS, _INDEX_BITS = 6, 22
_COUNT_MASK, _INDEX_MASK = (1 << _COUNT_BITS) - 1, (1 << _INDEX_BITS) - 1
_FILE_SHIFT = _COUNT_BITS + _INDEX_BITS
_MAX_DOCSTRING = 600
DOCUMENTS = ("function", "method", "class", "variable")
"""Kinds of definitions that are looked up by words."""

Place = tuple[str, int]


class Lexicon:
    """Words of the definitions of one snapshot. It never changes; `following` gives the one of a later snapshot."""

    def __init__(self) -> None:
        self._postings: dict[str, array[int]] = {}
        """By word: numbers made of a file's number, a definition's index and how much the word counts there."""
        self._paths: dict[int, str] = {}
        self._lengths: dict[str, dict[int, int]] = {}
        self._next = 0

    def following(self, snapshot: Snapshot, touched: Iterable[str]) -> Lexicon:
        """The lexicon after some files were added, changed or removed."""
        gone = set(touched)
        new = Lexicon()
        new._paths = {number: path for number, path in self._paths.items() if path not in gone}
        new._lengths = {path: lengths for path, lengths in self._lengths.items() if path not in gone}
        new._next = self._next
        added: dict[str, array[int]] = {}
        for path in sorted(gone):
            if (unit := snapshot.unit(path)) is not None:
                new._add(unit, added)
        new._postings = dict(self._postings)
        for word, numbers in added.items():
            known = new._postings.get(word, ())
            numbers.extend([each for each in known if each >> _FILE_SHIFT in new._paths])
            new._postings[word] = numbers
        return new

    def score(self, words: Mapping[str, float]) -> dict[Place, float]:
        """BM25 scores of the definitions that have some of the words, each word with its weight."""
        scores: dict[Place, float] = {}
        documents = sum(len(each) for each in self._lengths.values()) or 1
        mean = sum(sum(each.values()) for each in self._lengths.values()) / documents or 1.0
        for word in sorted(words):
            found = self._found(word)
            weight = words[word] * math.log(1 + (documents - len(found) + 0.5) / (len(found) + 0.5))
            for place, count, length in found:
                norm = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length / mean)
                scores[place] = scores.get(place, 0.0) + weight * count * (_SATURATION + 1) / (count + norm)
        return scores

    def named(self, words: Iterable[str]) -> list[Place]:
        """The definitions whose name consists of these words in this order, by place."""
        return sorted(place for place, _count, _length in self._found(_whole_name(words)))

    def _found(self, word: str) -> list[tuple[Place, int, int]]:
        found = []
        for number in self._postings.get(word, ()):
            path = self._paths.get(number >> _FILE_SHIFT)
            if path is not None:
                index = (number >> _COUNT_BITS) & _INDEX_MASK
                found.append(((path, index), number & _COUNT_MASK, self._lengths[path][index]))
        return found

    def _add(self, unit: Unit, added: dict[str, array[int]]) -> None:
        number, self._next = self._next, self._next + 1
        self._paths[number] = unit.path
        lengths = self._lengths[unit.path] = {}
        for index, words in words_of_definitions(unit).items():
            lengths[index] = sum(words.values())
            for word, count in words.items():
                place = (number << _FILE_SHIFT) | (index << _COUNT_BITS) | min(count, _COUNT_MASK)
                added.setdefault(word, array("Q")).append(place)
            name = _whole_name(words_of(unit.symbol(index).name))
            added.setdefault(name, array("Q")).append((number << _FILE_SHIFT) | (index << _COUNT_BITS))


def _whole_name(words: Iterable[str]) -> str:
    """How the postings are called of the definitions that have a name of these words: no word contains a space."""
    return f" {' '.join(words)}"


def words_of_definitions(unit: Unit) -> dict[int, Counter[str]]:
    """The words of each definition in a file, with how much each counts."""
    stem = unit.path.rpartition("/")[2].partition(".")[0]
    found = {
        index: _own_words(unit, index, stem) for index, row in enumerate(unit.record.symbols) if row.kind in DOCUMENTS
    }
    record = unit.record
    for number, chain in enumerate(record.chains):
        words = words_of(record.last_name(chain))
        for place in unit.places(number):
            document = found.get((record.uses[place * 3 + 2] >> 4) - 1)
            if document is not None:
                _count(document, words, _BODY)
    return found


def _own_words(unit: Unit, index: int, stem: str) -> Counter[str]:
    row = unit.symbol(index)
    found: Counter[str] = Counter()
    _count(found, words_of(row.name), _NAME)
    _count(found, words_of(unit.symbol(row.parent).name) if row.parent >= 0 else (), _PARENT)
    _count(found, words_of(stem), _PATH)
    _count(found, words_in(row.signature), _SIGNATURE)
    _count(found, words_in(row.docstring[:_MAX_DOCSTRING]), _DOCSTRING)
    return found


def _count(found: Counter[str], words: Iterable[str], weight: int) -> None:
    for word in words:
        found[word] += weight
