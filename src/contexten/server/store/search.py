"""Full-text search over the prompts, results and logs of runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import bindparam, text

from contexten.errors import UsageError
from contexten.protocol import MessageType
from contexten.server.store.columns import Identifier
from contexten.server.store.event_rows import EVENT
from contexten.server.store.records import RunRecord, SearchMatch, SearchPage
from contexten.server.store.run_rows import RECORD
from contexten.server.store.search_index import query, text_of
from contexten.server.store.snippets import snippet
from contexten.server.store.tables import events, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row

    from contexten.server.store.database import Database

_CHUNK = 500
_MOST_LOOKED_AT = 20_000
_TOP = 2**63 - 1
_CURSOR = re.compile(r"([0-9]{1,30})-([0-9]{1,30})")

_MATCHES = {
    "sqlite": """
        SELECT events.id, events.run_id FROM event_words JOIN events ON events.id = event_words.rowid
        WHERE event_words MATCH :query AND event_words.rowid < :below
        ORDER BY event_words.rowid DESC LIMIT :chunk""",
    "postgresql": """
        SELECT events.id, events.run_id FROM event_words JOIN events ON events.id = event_words.event_id
        WHERE event_words.words @@ CAST(:query AS tsquery) AND event_words.event_id < :below
        ORDER BY event_words.event_id DESC LIMIT :chunk""",
}
_WAS_SHOWN = {
    "sqlite": """
        SELECT 1 FROM events WHERE run_id = :run AND id BETWEEN :below AND :newest AND EXISTS
        (SELECT 1 FROM event_words WHERE event_words MATCH :query AND event_words.rowid = events.id) LIMIT 1""",
    "postgresql": """
        SELECT 1 FROM events WHERE run_id = :run AND id BETWEEN :below AND :newest AND EXISTS
        (SELECT 1 FROM event_words WHERE words @@ CAST(:query AS tsquery) AND event_id = events.id) LIMIT 1""",
}
_STATEMENTS = {
    dialect: (
        text(_MATCHES[dialect]).bindparams(bindparam("below", type_=Identifier)),
        text(_WAS_SHOWN[dialect]).bindparams(
            bindparam("below", type_=Identifier), bindparam("newest", type_=Identifier)
        ),
    )
    for dialect in _MATCHES
}


class Search:
    """The search index of the whole server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, organization_id: int, searched: str, *, limit: int = 20, cursor: str | None = None
    ) -> SearchPage:
        """Runs of an organization in which every word of `searched` occurs in one prompt, result or log entry.

        Each run comes once, with its newest such place; the newest comes first. Case makes no difference, and the last
        word may be the beginning of one. No character of `searched` has a meaning of its own.

        Raises:
            UsageError: the cursor is not one that a page gave.
        """
        start = None if cursor is None else _Cursor.parse(cursor)

        def work(connection: Connection) -> SearchPage:
            wanted = query(connection.dialect.name, organization_id, searched)
            if wanted is None:
                return SearchPage([], None)
            places, next_cursor = _Look(connection, wanted, start).places(limit)
            return SearchPage(_matches(connection, places, searched), None if next_cursor is None else str(next_cursor))

        return await self._database.read(work)


class _Cursor(NamedTuple):
    """Where a page begins, and where the first one began: a run whose newest place lies between was shown before."""

    below: int
    newest: int

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise UsageError(f"The cursor {text!r} is not one that a page of results gave.")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.below}-{self.newest}"


class _Look:
    """One look through the index, from the newest event below the cursor downwards."""

    def __init__(self, connection: Connection, wanted: str, cursor: _Cursor | None) -> None:
        self._connection = connection
        self._query = wanted
        self._cursor = cursor
        self._earlier: dict[int, bool] = {}
        self._match, self._shown = _STATEMENTS[connection.dialect.name]

    def places(self, limit: int) -> tuple[dict[int, int], _Cursor | None]:
        """The newest matching event of each run on the page, by run; and the cursor of the next page."""
        places: dict[int, int] = {}
        newest = self._cursor.newest if self._cursor else None
        for looked_at, (event_id, run_id) in enumerate(self._events()):
            newest = event_id if newest is None else newest
            if looked_at == _MOST_LOOKED_AT:
                return places, _Cursor(event_id + 1, newest)
            if run_id in places or self._was_on_an_earlier_page(run_id):
                continue
            if len(places) == limit:
                return places, _Cursor(event_id + 1, newest)
            places[run_id] = event_id
        return places, None

    def _events(self) -> Iterator[tuple[int, int]]:
        below = self._cursor.below if self._cursor else _TOP
        while True:
            values = {"query": self._query, "below": below, "chunk": _CHUNK}
            chunk = self._connection.execute(self._match, values).all()
            yield from ((event_id, run_id) for event_id, run_id in chunk)
            if len(chunk) < _CHUNK:
                return
            below = chunk[-1][0]

    def _was_on_an_earlier_page(self, run_id: int) -> bool:
        if self._cursor is None:
            return False
        if run_id not in self._earlier:
            values = {"run": run_id, "query": self._query, **self._cursor._asdict()}
            self._earlier[run_id] = self._connection.scalar(self._shown, values) is not None
        return self._earlier[run_id]


def _matches(connection: Connection, places: dict[int, int], searched: str) -> list[SearchMatch]:
    """The matches at these places, in their order."""
    records = {row.id: RunRecord(*row) for row in connection.execute(RECORD.where(runs.c.id.in_(places)))}
    rows = {row.id: row for row in connection.execute(EVENT.where(events.c.id.in_(places.values())))}
    return [_match(records[run_id], rows[event_id], searched) for run_id, event_id in places.items()]


def _match(run: RunRecord, row: Row[*tuple[Any, ...]], searched: str) -> SearchMatch:
    return SearchMatch(run, _where(row), snippet(text_of(row.body), searched), row.id)


def _where(row: Row[*tuple[Any, ...]]) -> Literal["prompt", "result", "log"]:
    if row.status is not None:
        return "result"
    return "prompt" if json.loads(row.body).get("message_type") == MessageType.USER_MESSAGE else "log"
