"""Pages of the list of runs. Where counters tell how many there are no rows are counted; other choices count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from contexten.server.store import buckets
from contexten.server.store.records import RunRecord
from contexten.server.store.run_rows import RECORD
from contexten.server.store.tables import runs

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from contexten.protocol import Window
    from contexten.server.store.records import RunFilter


def page(
    connection: Connection, organization_id: int, window: Window, chosen: RunFilter
) -> tuple[list[RunRecord], int]:
    """The runs of one page, newest first, and how many there are in all."""
    end, offset, total = _start(connection, organization_id, window, chosen)
    if end == 0:
        return [], total
    wanted = select(runs.c.id).where(*_conditions(organization_id, chosen))
    if end is not None:
        wanted = wanted.where(runs.c.id < end)
    ids = wanted.order_by(runs.c.id.desc()).limit(window.limit).offset(offset).subquery()
    rows = connection.execute(RECORD.join(ids, ids.c.id == runs.c.id).order_by(runs.c.id.desc()))
    return [RunRecord(*row) for row in rows], total


def _start(
    connection: Connection, organization_id: int, window: Window, chosen: RunFilter
) -> tuple[int | None, int, int]:
    """The id below which the page begins, 0 when it is empty; how many runs to leave out; how many there are in all."""
    if chosen.is_counted:
        user = buckets.ANY_USER if chosen.user_id is None else chosen.user_id
        source = buckets.ANY_SOURCE if chosen.source_type is None else chosen.source_type
        if (chosen.user_id is not None and user < 1) or chosen.source_type == "":
            return 0, 0, 0  # no run has these, and the counters give them another meaning
        skip = window.skip if chosen.before_id is None else 0
        start = buckets.page_start(connection, organization_id, user, source, skip)
        if chosen.before_id is None or start.end == 0:
            return start.end, start.offset, start.total
        total = start.total
    else:
        rows = select(func.count()).select_from(runs).where(*_conditions(organization_id, chosen))
        total = connection.scalar(rows) or 0
    return chosen.before_id, min(window.skip, total), total


def _conditions(organization_id: int, chosen: RunFilter) -> list[ColumnElement[bool]]:
    found = [runs.c.organization_id == organization_id]
    for column in (runs.c.user_id, runs.c.source_type, runs.c.engine, runs.c.repo_id):
        value = getattr(chosen, column.name)
        if value is not None:
            found.append(column == value)
    if chosen.statuses:
        found.append(runs.c.status.in_(chosen.statuses))
    return found
