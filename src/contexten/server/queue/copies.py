"""What becomes of a run's own copy of its repository: when a turn ends its changes are kept, and with the run it goes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from contexten.engines.checkout import checkouts, discard_checkout, find_checkout, note_kept
from contexten.errors import EngineError, StoreUnavailableError
from contexten.server.store.errors import NotThereError

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.engines.base import Outcome
    from contexten.engines.changes import Changes
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

    Raises:
        StoreUnavailableError: nothing can be noted now.
    """
    try:
        await _keep(store, home, record, outcome)
    except StoreUnavailableError:
        raise
    except Exception:  # whatever it is, the run must end
        logger.exception("What run %d changed could not be kept", record.run_id)


async def sweep_copies(store: Store, home: Path) -> None:
    """Delete the copies whose runs are deleted: the process ended in between, or another worker was asked to delete them.

    A run that the store does not know is none of these: the folder may belong to another database too.

    Args:
        store: knows which runs were deleted.
        home: the folder of the copies.
    """
    try:
        found = await asyncio.to_thread(checkouts, home)
        deleted = await store.runs.deleted(run_id for _, run_id in found)
        for organization_id, run_id in found:
            if run_id in deleted:
                await asyncio.to_thread(discard_checkout, home, organization_id, run_id)
    except (StoreUnavailableError, OSError) as error:
        logger.warning("Copies of runs that are deleted are looked for at the next start again: %s", error)


async def _keep(store: Store, home: Path, record: TurnRecord, outcome: Outcome | None) -> None:
    whose = (record.organization_id, record.run_id)
    told = outcome.changes if outcome is not None else None
    branch, changes = await asyncio.to_thread(_seen, home, record, told)
    if changes is not None:
        there = await store.diffs.keep(record.run_id, record.turn, branch, changes)
        await asyncio.to_thread(note_kept, home, *whose, record.turn)
    else:
        there = outcome is not None or await _is_there(store, record)
    if not there:
        await asyncio.to_thread(discard_checkout, home, *whose)


def _seen(home: Path, record: TurnRecord, told: Changes | None) -> tuple[str, Changes | None]:
    """The branch of a run's copy, and its changes where the engine did not tell them; whatever is wrong, the run must end."""
    try:
        checkout = find_checkout(home, record.organization_id, record.run_id)
        if checkout is None or (told is None and checkout.turn not in {None, record.turn}):
            return "", told  # there is none, or it was not opened in this turn: what is kept is newer
        return checkout.branch, told if told is not None else checkout.changes()
    except (EngineError, OSError, ValueError) as error:
        logger.warning("What run %d changed cannot be told: %s", record.run_id, error)
        return "", told


async def _is_there(store: Store, record: TurnRecord) -> bool:
    try:
        await store.runs.get(record.organization_id, record.run_id)
    except NotThereError:
        return False
    return True
