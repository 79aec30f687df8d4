"""The piece of a text that shows where a searched word stands."""

from __future__ import annotations

from contexten.server.store.search_index import WORD, fold, words_of

_LENGTH = 200
_BEFORE = 60
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def snippet(readable: str, searched: str) -> str:
    """At most 200 characters, on one line, around the first place of a searched word."""
    wanted = words_of(searched)
    start = max(0, _first_place(readable, wanted) - _BEFORE)
    piece = " ".join(readable[start : start + _LENGTH * 2].split())
    piece = _ELLIPSIS + piece if start else piece
    return piece if len(piece) <= _LENGTH else piece[: _LENGTH - 1] + _ELLIPSIS


def _first_place(readable: str, wanted: list[str]) -> int:
    exact, beginning = set(wanted), wanted[-1]
    for found in WORD.finditer(readable):
        word = fold(found.group())
        if word in exact or word.startswith(beginning):
            return found.start()
    return 0
