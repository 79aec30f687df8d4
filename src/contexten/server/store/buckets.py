"""Where a page of the list of runs begins, without counting rows: counters of runs per block of run ids.

Each run is counted under its user and its source, under either, and under neither (user 0 and source '' stand for
all), in a wide block and in a narrow one. A page's start is found by walking a few dozen counters of each width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select, text

from contexten.errors import StoreError
from contexten.server.store.columns import CleanText
from contexten.server.store.tables import run_buckets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

_NARROW = 1_000
_WIDE = 50_000
ANY_USER = 0
ANY_SOURCE = ""

_COUNT = text(
    """
    INSERT INTO run_buckets (organization_id, user_id, source_type, width, bucket, runs) VALUES
      (:organization, 0, '', :narrow, :near, 1), (:organization, 0, '', :wide, :far, 1),
      (:organization, 0, :source, :narrow, :near, 1), (:organization, 0, :source, :wide, :far, 1),
      (:organization, :user, '', :narrow, :near, 1), (:organization, :user, '', :wide, :far, 1),
      (:organization, :user, :source, :narrow, :near, 1), (:organization, :user, :source, :wide, :far, 1)
    ON CONFLICT (organization_id, user_id, source_type, width, bucket) DO UPDATE SET runs = run_buckets.runs + 1
    """
).bindparams(bindparam("source", type_=CleanText))
_OF_RUN = """
    organization_id = :organization AND user_id IN (0, :user) AND source_type IN ('', :source)
    AND (width = :narrow AND bucket = :near OR width = :wide AND bucket = :far)
"""
_UNCOUNT = text(f"UPDATE run_buckets SET runs = runs - 1 WHERE {_OF_RUN}")  # noqa: S608 - a constant
_CLEAR = text(f"DELETE FROM run_buckets WHERE {_OF_RUN} AND runs = 0")  # noqa: S608 - a constant

_COUNTERS = (
    select(run_buckets.c.bucket, run_buckets.c.runs)
    .where(
        run_buckets.c.organization_id == bindparam("organization"),
        run_buckets.c.user_id == bindparam("user"),
        run_buckets.c.source_type == bindparam("source"),
        run_buckets.c.width == bindparam("width"),
        run_buckets.c.bucket >= bindparam("lowest"),
        run_buckets.c.bucket < bindparam("end"),
    )
    .order_by(run_buckets.c.bucket.desc())
)
_NO_END = 2**62


class PageStart(NamedTuple):
    """Where the page begins: so many runs into those with an id below `end`."""

    total: int
    end: int
    offset: int


def count_run(connection: Connection, organization: int, user: int, source: str, run_id: int) -> None:
    """Count a run that is being created."""
    connection.execute(_COUNT, _place(organization, user, source, run_id))


def uncount_run(connection: Connection, organization: int, user: int, source: str, run_id: int) -> None:
    """Count a run no more: it is being deleted."""
    place = _place(organization, user, source, run_id)
    for statement in (_UNCOUNT, _CLEAR):
        connection.execute(statement.bindparams(bindparam("source", type_=CleanText)), place)


def page_start(connection: Connection, organization: int, user: int, source: str, skip: int) -> PageStart:
    """Where the runs after the newest `skip` begin, and how many runs there are in all."""
    whose = {"organization": organization, "user": user, "source": source}
    wide = connection.execute(_COUNTERS, {**whose, "width": _WIDE, "lowest": 0, "end": _NO_END}).all()
    total = sum(runs for _, runs in wide)
    if skip >= total:
        return PageStart(total, 0, 0)
    far, skip = _walk(wide, skip)
    lowest = far * (_WIDE // _NARROW)
    within = {**whose, "width": _NARROW, "lowest": lowest, "end": lowest + _WIDE // _NARROW}
    near, skip = _walk(connection.execute(_COUNTERS, within).all(), skip)
    return PageStart(total, (near + 1) * _NARROW, skip)


def _place(organization: int, user: int, source: str, run_id: int) -> dict[str, Any]:
    near, far = run_id // _NARROW, run_id // _WIDE
    whose = {"organization": organization, "user": user, "source": source}
    return {**whose, "narrow": _NARROW, "near": near, "wide": _WIDE, "far": far}


def _walk(counters: Sequence[Row[*tuple[Any, ...]]], skip: int) -> tuple[int, int]:
    """The block that the run after the newest `skip` lies in, and how many newer ones lie in the same block."""
    for bucket, runs in counters:
        if skip < runs:
            return bucket, skip
        skip -= runs
    raise StoreError("The counters of runs contradict each other.")
