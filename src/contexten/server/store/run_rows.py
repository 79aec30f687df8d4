"""Reading runs and turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, func, select

from contexten.server.store.errors import NotThereError
from contexten.server.store.records import RunRecord, TurnRecord
from contexten.server.store.tables import runs, turns

if TYPE_CHECKING:
    from sqlalchemy import Connection

# In the order of the fields of RunRecord and TurnRecord.
RECORD: Select[*tuple[Any, ...]] = select(
    runs.c.id,
    runs.c.organization_id,
    runs.c.user_id,
    runs.c.repo_id,
    runs.c.status,
    runs.c.engine,
    runs.c.model,
    runs.c.source_type,
    turns.c.metadata,
    turns.c.prompt,
    turns.c.result,
    turns.c.summary,
    runs.c.turn,
    runs.c.log_count,
    runs.c.created_at,
    runs.c.started_at,
    runs.c.finished_at,
    runs.c.input_tokens,
    runs.c.output_tokens,
    runs.c.cost_usd,
    runs.c.banned,
).join(turns, (turns.c.run_id == runs.c.id) & (turns.c.turn == runs.c.turn))
_TURN: Select[*tuple[Any, ...]] = select(
    turns.c.run_id,
    runs.c.organization_id,
    turns.c.turn,
    turns.c.prompt,
    turns.c.images,
    turns.c.status,
    turns.c.result,
    turns.c.attempt,
    turns.c.timeout,
    runs.c.engine,
    runs.c.model,
    runs.c.repo_id,
    turns.c.metadata,
    turns.c.created_at,
    turns.c.put_back,
).join(runs, runs.c.id == turns.c.run_id)

_ONE = RECORD.where(runs.c.organization_id == bindparam("organization"), runs.c.id == bindparam("run"))
_ANYWHERE = RECORD.where(runs.c.id == bindparam("run"))
_REPORTED = select(runs.c.reported).where(runs.c.id == bindparam("run"))
_ONE_TURN = _TURN.where(turns.c.run_id == bindparam("run"), turns.c.turn == bindparam("number"))
_EARLIER = _TURN.where(turns.c.run_id == bindparam("run"), turns.c.turn < bindparam("before")).order_by(turns.c.turn)


def find(connection: Connection, organization_id: int, run_id: int) -> RunRecord:
    """The run.

    Raises:
        NotThereError: the organization has no such run.
    """
    row = connection.execute(_ONE, {"organization": organization_id, "run": run_id}).one_or_none()
    if row is None:
        raise absent(connection, organization_id, run_id)
    return RunRecord(*row)


def find_anywhere(connection: Connection, run_id: int) -> RunRecord | None:
    """The run, whichever organization it belongs to; None when there is no such."""
    row = connection.execute(_ANYWHERE, {"run": run_id}).one_or_none()
    return None if row is None else RunRecord(*row)


def is_reported(connection: Connection, run_id: int) -> bool:
    """Whether another program does the run and reports it."""
    return bool(connection.scalar(_REPORTED, {"run": run_id}))


def absent(connection: Connection, organization_id: int, run_id: int) -> NotThereError:
    """The error for a run that an organization does not have."""
    newest = connection.scalar(select(func.max(runs.c.id)).where(runs.c.organization_id == organization_id))
    hint = "It has no runs yet." if newest is None else f"The newest is {newest}."
    return NotThereError(f"There is no run {run_id} in organization {organization_id}. {hint}")


def newest(connection: Connection, organization_id: int, user_id: int | None) -> RunRecord | None:
    """The newest run of an organization or of one of its users."""
    wanted = RECORD.where(runs.c.organization_id == organization_id).order_by(runs.c.id.desc()).limit(1)
    if user_id is not None:
        wanted = wanted.where(runs.c.user_id == user_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else RunRecord(*row)


def turn(connection: Connection, run_id: int, number: int) -> TurnRecord | None:
    """One turn, None when there is no such."""
    row = connection.execute(_ONE_TURN, {"run": run_id, "number": number}).one_or_none()
    return None if row is None else _turn_record(row)


def earlier_turns(connection: Connection, run_id: int, before: int) -> list[TurnRecord]:
    """The turns below a number, oldest first."""
    return [_turn_record(row) for row in connection.execute(_EARLIER, {"run": run_id, "before": before})]


def _turn_record(row: Any) -> TurnRecord:
    return TurnRecord(**{**row._mapping, "images": tuple(row.images)})  # noqa: SLF001 - SQLAlchemy's public name
