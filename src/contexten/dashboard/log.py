"""The part of a run's log that a page holds: a window on it, which follows the end or stays where the reader is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.dashboard.entries import Row, folded, row_of, unfolded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contexten.client import AsyncCodegenClient
    from contexten.protocol import LogEntry, LogEvent

PART = 100
"""Entries that are asked for at a time."""
FOLLOWED = 150
"""Entries that are kept while the end is followed."""
MOST = 400
"""Entries that are kept at all: what a browser shows without effort."""


class Window:
    """Consecutive rows of a log.

    Args:
        run_id: the run.
        rows: the rows so far.
        total: entries that the log is known to have.
    """

    def __init__(self, run_id: int, rows: Sequence[Row] = (), total: int = 0) -> None:
        self.run_id, self.rows, self.total = run_id, list(rows), total

    @property
    def first(self) -> int:
        """Position of the first row."""
        return self.rows[0].position if self.rows else 0

    @property
    def end(self) -> int:
        """Position after the last row."""
        return self.rows[-1].position + 1 if self.rows else 0

    @property
    def at_end(self) -> bool:
        """Whether the last entry that is known is shown."""
        return self.end >= self.total

    async def to_end(self, client: AsyncCodegenClient) -> None:
        """Show the newest entries."""
        page = await client.get_agent_run_logs(self.run_id, limit=PART, reverse=True)
        self.total = page.total_logs or len(page.logs)
        start = self.total - len(page.logs)
        kept = {row.position: row for row in self.rows if row.position >= start}
        entries = list(enumerate(reversed(page.logs), start))
        self.rows = [kept.get(position) or row_of(position, entry) for position, entry in entries]

    async def earlier(self, client: AsyncCodegenClient) -> None:
        """Show entries before the first as well."""
        start = max(0, self.first - PART)
        entries = await self._entries(client, start, self.first - start)
        self.rows = [*entries, *self.rows][:MOST]

    async def later(self, client: AsyncCodegenClient) -> None:
        """Show entries after the last as well."""
        entries = await self._entries(client, self.end, PART)
        self.rows = [*self.rows, *entries][-MOST:]

    async def toggle(self, client: AsyncCodegenClient, position: int) -> None:
        """Unfold an entry, or fold it."""
        index = position - self.first
        row = self.rows[index]
        if row.is_open:
            self.rows[index] = folded(row)
            return
        page = await client.get_agent_run_logs(self.run_id, skip=position, limit=1)
        if page.logs:
            self.rows[index] = unfolded(row, page.logs[0])

    def take(self, events: Sequence[LogEvent], *, follow: bool) -> bool:
        """Take entries as they are written; False when some before them are not known."""
        self.total = max([self.total, *(event.position + 1 for event in events)])
        if not follow:
            return True
        for event in events:
            if event.position > self.end:
                return False
            if event.position == self.end:
                self.rows.append(row_of(event.position, event.entry))
        self.rows = self.rows[-FOLLOWED:]
        return True

    async def _entries(self, client: AsyncCodegenClient, start: int, count: int) -> list[Row]:
        if count < 1:
            return []
        page = await client.get_agent_run_logs(self.run_id, skip=start, limit=count)
        logs: list[LogEntry] = page.logs
        return [row_of(position, entry) for position, entry in enumerate(logs, start)]
