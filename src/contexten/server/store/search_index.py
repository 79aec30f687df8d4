"""The words of each event, for full-text search: FTS5 on SQLite, a tsvector under GIN on PostgreSQL.

Text is cut into words here, so that both databases find the same; a word is what lies between characters that are
neither letters nor digits, so `refund_order` is two words in a row. What a person searches for is cut the same way: no
character of it is ever read as query syntax.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 64
_MOST_SEARCHED = 50
_MOST_CHARACTERS = 200_000
_LAST_POSITION = 16_383  # PostgreSQL's limit

_INSERT_SQLITE = text("INSERT INTO event_words (rowid, scope, words) VALUES (:id, :scope, :words)")
_FORGET_SQLITE = text(
    "INSERT INTO event_words (event_words, rowid, scope, words) VALUES ('delete', :id, :scope, :words)"
)
_INSERT_POSTGRESQL = text("INSERT INTO event_words (event_id, words) VALUES (:id, CAST(:words AS tsvector))")

_FORGET_POSTGRESQL = text("DELETE FROM event_words WHERE event_id = ANY(:ids)")


def index_events(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add the words of event rows (`id`, `organization_id`, `body`) to the index; rows without a body have none."""
    worded = [(row, words_of(text_of(row["body"]))) for row in rows if row["body"] is not None]
    if not worded:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_INSERT_SQLITE, [_entry(row, words) for row, words in worded])
    else:
        values = [{"id": r["id"], "words": _tsvector(r["organization_id"], w)} for r, w in worded]
        connection.execute(_INSERT_POSTGRESQL, values)


def forget_events(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Take the words of event rows, which have a body each, out of the index.

    SQLite's index does not keep what it was given, so it is told again. Words that another version of Unicode would cut
    otherwise stay, and lead nowhere: the event is gone, and its id does not come back.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(_FORGET_SQLITE, [_entry(row, words_of(text_of(row["body"]))) for row in rows])
    else:
        connection.execute(_FORGET_POSTGRESQL, {"ids": [row["id"] for row in rows]})


def text_of(body: str) -> str:
    """Everything that a person can read in an event's body, one part per line."""
    value = json.loads(body)
    if isinstance(value, dict):
        value.pop("message_type", None)  # the kind of an entry is not something it says
    return "\n".join(_strings(value))


def fold(word: str) -> str:
    """A word as it is compared: without difference of case or of compatible characters."""
    return unicodedata.normalize("NFKC", word).casefold()[:_LONGEST_WORD]


def words_of(readable: str) -> list[str]:
    """The words of a text, in order; only its first 200,000 characters count."""
    folded = unicodedata.normalize("NFKC", readable[:_MOST_CHARACTERS]).casefold()[:_MOST_CHARACTERS]
    return [word[:_LONGEST_WORD] for word in WORD.findall(folded)]


def query(dialect: str, organization_id: int, searched: str) -> str | None:
    """A query in the database's own language for what a person searched; None when it has no word.

    All words must occur; those that the person wrote without a space between them, next to each other; the last may
    be the beginning of a word. The first 50 words count.
    """
    phrases = list(_phrases(searched))
    if not phrases:
        return None
    return _fts5(organization_id, phrases) if dialect == "sqlite" else _tsquery(organization_id, phrases)


def _phrases(searched: str) -> Iterator[list[str]]:
    room = _MOST_SEARCHED
    for part in searched.split():
        words = words_of(part)[:room]
        room -= len(words)
        if words:
            yield words


def _fts5(organization_id: int, phrases: list[list[str]]) -> str:
    quoted = " AND ".join('"' + " ".join(words) + '"' for words in phrases)
    return f'scope : "{organization_id}" AND words : ({quoted} *)'


def _tsquery(organization_id: int, phrases: list[list[str]]) -> str:
    quoted = " & ".join(" <-> ".join(f"'{word}'" for word in words) for words in phrases)
    return f"'@{organization_id}' & {quoted}:*"


def _entry(row: Mapping[str, Any], words: list[str]) -> dict[str, Any]:
    return {"id": row["id"], "scope": str(row["organization_id"]), "words": " ".join(words)}


def _tsvector(organization_id: int, words: list[str]) -> str:
    placed = [f"'{word}':{place}" for place, word in enumerate(words[:_LAST_POSITION], start=1)]
    return " ".join([f"'@{organization_id}'", *placed, *(f"'{word}'" for word in words[_LAST_POSITION:])])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
