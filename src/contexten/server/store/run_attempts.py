"""Attempts at turns: which one is under way, so that a worker that lost its turn neither goes on nor ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, tuple_, update

from contexten.protocol.status import TERMINAL
from contexten.server.store.tables import runs, turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from contexten.engines.base import Usage
    from contexten.server.store.transaction import Transaction

_GOES_ON = turns.c.status.not_in([str(status) for status in TERMINAL])
_UNDER_WAY = (
    (turns.c.run_id == bindparam("run")) & (turns.c.turn == bindparam("number")) & (turns.c.attempt == bindparam("try"))
)
_PUT_BACK = update(turns).where(_UNDER_WAY, _GOES_ON).values(put_back=turns.c.put_back + 1)
_HOLDS = select(turns.c.attempt).where(_UNDER_WAY).with_for_update()
_SPEND = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        input_tokens=runs.c.input_tokens + bindparam("input"),
        output_tokens=runs.c.output_tokens + bindparam("output"),
        cost_usd=runs.c.cost_usd + bindparam("cost"),
    )
)
_BATCH = 500


def current(connection: Connection, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The newest attempt at each of these turns, given as run and turn, that has not ended."""
    found: dict[tuple[int, int], int] = {}
    for start in range(0, len(wanted), _BATCH):
        batch = tuple_(turns.c.run_id, turns.c.turn).in_(wanted[start : start + _BATCH])
        rows = connection.execute(select(turns.c.run_id, turns.c.turn, turns.c.attempt).where(batch, _GOES_ON))
        found.update({(run_id, turn): attempt for run_id, turn, attempt in rows})
    return found


def holds(transaction: Transaction, run_id: int, turn: int, attempt: int) -> bool:
    """Whether this attempt is still the newest; it stays so until the transaction ends."""
    return transaction.connection.scalar(_HOLDS, {"run": run_id, "number": turn, "try": attempt}) is not None


def put_back(transaction: Transaction, run_id: int, turn: int, attempt: int) -> None:
    """Note that an attempt ended with an orderly stop of its worker."""
    transaction.connection.execute(_PUT_BACK, {"run": run_id, "number": turn, "try": attempt})


def spend(transaction: Transaction, run_id: int, turn: int, attempt: int, usage: Usage) -> None:
    """Add what an attempt used up that was stopped from outside, unless another one goes on with its turn."""
    if holds(transaction, run_id, turn, attempt):
        used = {"input": usage.input_tokens, "output": usage.output_tokens, "cost": usage.cost_usd}
        transaction.connection.execute(_SPEND, {"run": run_id, **used})
