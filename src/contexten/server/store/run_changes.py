"""Changes of a run's state. Each is conditional on the state before it, so of two that contradict one wins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update

from contexten.engines.base import Usage
from contexten.protocol import RunStatus, is_terminal
from contexten.protocol.status import TERMINAL
from contexten.server.store.columns import now
from contexten.server.store.errors import RunBusyError, RunRefusedError
from contexten.server.store.event_rows import Place, status_row, write_events
from contexten.server.store.records import RunRecord
from contexten.server.store.run_creation import TurnParts, user_message, write_first_events, write_turn
from contexten.server.store.run_rows import find, is_reported, turn
from contexten.server.store.tables import runs, turns
from contexten.server.store.text_gate import clean_text, to_json

if TYPE_CHECKING:
    from contexten.server.store.records import TurnRecord
    from contexten.server.store.transaction import Transaction

_TURN = (turns.c.run_id == bindparam("run"), turns.c.turn == bindparam("number"))
_GOES_ON = turns.c.status.not_in([str(status) for status in TERMINAL])
_BEGIN = update(turns).where(*_TURN, _GOES_ON).values(status=str(RunStatus.RUNNING), attempt=turns.c.attempt + 1)
_END = (
    update(turns)
    .where(*_TURN, _GOES_ON)
    .values(status=bindparam("to"), result=bindparam("answer"), summary=bindparam("line"))
)
_STOPPED = {RunStatus.CANCELLED, RunStatus.STOPPED}
_SET = update(turns).where(*_TURN).values(status=bindparam("to"), result=bindparam("answer"))
_SET_RUN = update(runs).where(runs.c.id == bindparam("run"))
_END_RUN = _SET_RUN.values(
    status=bindparam("to"),
    finished_at=bindparam("moment"),
    input_tokens=runs.c.input_tokens + bindparam("input"),
    output_tokens=runs.c.output_tokens + bindparam("output"),
    cost_usd=runs.c.cost_usd + bindparam("cost"),
)


def begin(transaction: Transaction, run_id: int, number: int) -> TurnRecord | None:
    """Take a turn up: one more attempt, RUNNING. None when it has ended or is not there."""
    connection = transaction.connection
    if not connection.execute(_BEGIN, {"run": run_id, "number": number}).rowcount:
        return None
    record = turn(connection, run_id, number)
    if record is not None and record.attempt == 1:
        moment = now()
        connection.execute(_SET_RUN.values(status=record.status, started_at=moment), {"run": run_id})
        write_events(transaction, [status_row(_place(record), record.status, moment)])
    return record


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ends."""

    status: str
    result: str | None
    summary: str | None = None
    usage: Usage = field(default_factory=Usage)


def finish(transaction: Transaction, run: RunRecord, end: Ending) -> bool:
    """End the newest turn of a run; False, and nothing is written, when it has ended before."""
    connection, moment = transaction.connection, now()
    outcome = {"to": end.status, "answer": end.result, "line": end.summary}
    if not connection.execute(_END, {"run": run.id, "number": run.turn, **outcome}).rowcount:
        return False
    used = {"input": end.usage.input_tokens, "output": end.usage.output_tokens, "cost": end.usage.cost_usd}
    connection.execute(_END_RUN, {"run": run.id, "to": end.status, "moment": moment, **used})
    write_events(transaction, [status_row(_place(run), end.status, moment, end.result)])
    return True


def resume(
    transaction: Transaction, organization_id: int, run_id: int, prompt: str, images: tuple[str, ...]
) -> RunRecord:
    """Add a turn to a run that has ended.

    Raises:
        NotThereError: the organization has no such run.
        RunBusyError: it goes on.
        RunRefusedError: it is banned, or one that another program reported.
    """
    connection = transaction.connection
    run = find(connection, organization_id, run_id)
    if is_reported(connection, run_id):
        raise RunRefusedError(f"Run {run_id} was reported by another program; only that can continue it.")
    if run.banned:
        raise RunRefusedError(f"Run {run_id} is banned: unban it first.")
    if not is_terminal(run.status):
        raise RunBusyError(f"Run {run_id} is {run.status}. Wait for it to end, or cancel it, before you resume it.")
    before = turn(connection, run_id, run.turn)
    run = replace(
        run,
        prompt=clean_text(prompt),
        turn=run.turn + 1,
        log_count=run.log_count + 1,
        status=str(RunStatus.PENDING),
        result=None,
        summary=None,
        started_at=None,
        finished_at=None,
    )
    _save(transaction, run)
    timeout = before.timeout if before is not None else None
    write_turn(transaction, run, TurnParts(to_json(images), to_json(run.metadata), timeout, queued=True))
    write_first_events(transaction, run, user_message(prompt), now())
    return run


def set_status(
    transaction: Transaction, organization_id: int, run_id: int, status: str, result: str | None
) -> RunRecord:
    """Note the status that another program reports for its run, and its result when given.

    Raises:
        NotThereError: the organization has no such run.
        RunRefusedError: an engine here does the run, and says itself how it stands; or a person here stopped it.
    """
    run = find(transaction.connection, organization_id, run_id)
    if not is_reported(transaction.connection, run_id):
        raise RunRefusedError(f"Run {run_id} is done by an engine of this server; its status cannot be set.")
    moment, status = now(), clean_text(str(RunStatus.parse(status)))
    result = run.result if result is None else clean_text(result)
    if (status, result) == (run.status, run.result):
        return run
    if run.status in _STOPPED:
        raise RunRefusedError(f"Run {run_id} is {run.status} and stays so; its status cannot become {status}.")
    run = replace(run, status=status, result=result, finished_at=moment if is_terminal(status) else None)
    _save(transaction, run)
    values = {"run": run_id, "number": run.turn, "to": status, "answer": result}
    transaction.connection.execute(_SET, values)
    row = status_row(_place(run), status, moment, result if is_terminal(status) else None)
    write_events(transaction, [row])
    return run


def ban(transaction: Transaction, organization_id: int, run_id: int, *, banned: bool) -> RunRecord:
    """Mark a run as banned or not; what that stops is not the store's to say.

    Raises:
        NotThereError: the organization has no such run.
    """
    run = find(transaction.connection, organization_id, run_id)
    transaction.connection.execute(_SET_RUN.values(banned=banned), {"run": run_id})
    return replace(run, banned=banned)


def _place(record: RunRecord | TurnRecord) -> Place:
    run_id = record.id if isinstance(record, RunRecord) else record.run_id
    return Place(run_id, record.organization_id, record.turn)


def _save(transaction: Transaction, run: RunRecord) -> None:
    names = ("turn", "log_count", "status", "started_at", "finished_at")
    values: dict[str, Any] = {name: getattr(run, name) for name in names}
    transaction.connection.execute(_SET_RUN.values(values), {"run": run.id})
