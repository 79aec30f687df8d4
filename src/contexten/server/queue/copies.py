"""What becomes of a run's own copy of its repository when a turn ends: its changes are kept, however the turn ended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from contexten.engines.checkout import discard_checkout, find_checkout
from contexten.errors import EngineError
from contexten.server.store.errors import NotThereError

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.engines.base import Outcome
    from contexten.engines.changes import Changes
    from contexten.engines.checkout import Checkout
    from contexten.server.store import Store
    from contexten.server.store.records import TurnRecord

logger = logging.getLogger(__name__)


async def keep_changes(store: Store, home: Path, record: TurnRecord, outcome: Outcome | None) -> None:
    """Note what a run has changed: what its engine says, else what its copy shows.

    A run that was deleted while its engine was ending loses its copy.

    Args:
        store: where it is noted.
        home: the folder of the copies.
        record: the turn.
        outcome: how it ended; None when it was cancelled.
    """
    whose = (record.organization_id, record.run_id)
    checkout = await asyncio.to_thread(find_checkout, home, *whose)
    told = outcome.changes if outcome is not None else None
    changes = told if told is not None or checkout is None else await _seen(checkout, record)
    if changes is not None:
        there = await store.diffs.keep(record.run_id, record.turn, checkout.branch if checkout else "", changes)
    else:
        there = outcome is not None or await _is_there(store, record)
    if not there:
        await asyncio.to_thread(discard_checkout, home, *whose)


async def _is_there(store: Store, record: TurnRecord) -> bool:
    try:
        await store.runs.get(record.organization_id, record.run_id)
    except NotThereError:
        return False
    return True


async def _seen(checkout: Checkout, record: TurnRecord) -> Changes | None:
    try:
        return await asyncio.to_thread(checkout.changes)
    except (EngineError, OSError, ValueError) as error:  # whatever it is, the run must end
        logger.warning("What run %d changed cannot be told: %s", record.run_id, error)
        return None
