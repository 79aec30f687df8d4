"""Makes the task of a turn out of what the store knows: the folder to work in and what was said before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines.base import BUILDS_ON, Earlier, Exchange, Kept, Task
from contexten.engines.cloning import clone
from contexten.errors import EngineError
from contexten.server.store.errors import NotThereError

if TYPE_CHECKING:
    from contexten.protocol import LocalRepository
    from contexten.server.store import Store
    from contexten.server.store.records import TurnRecord


async def task_of(store: Store, record: TurnRecord, clones: Path) -> Task:
    """The task that a turn gives to its engine.

    Args:
        store: where the turn comes from.
        record: the turn.
        clones: the folder of this process's clones.

    Raises:
        EngineError: there is no repository, or its folder is gone; the message says what to do.
    """
    repository = await _repository(store, record)
    folder = await _folder(repository, clones)
    earlier = await store.runs.history(record.run_id, record.turn)
    return Task(
        run_id=record.run_id,
        organization_id=record.organization_id,
        turn=record.turn,
        prompt=record.prompt,
        workspace=folder,
        repo_name=repository.name,
        history=tuple(Exchange(turn.prompt, turn.result, turn.status) for turn in earlier),
        model=record.model,
        images=record.images,
        metadata=record.metadata,
        builds_on=await _builds_on(store, record),
        kept=await _kept(store, record),
        attempt=record.attempt,
    )


async def _folder(repository: LocalRepository, clones: Path) -> Path:
    """Where a repository is on this machine; one that another worker cloned, on a machine of its own, is cloned here too."""
    folder = Path(repository.path)
    if await asyncio.to_thread(folder.is_dir):
        return folder
    if repository.url is not None:
        return await clone(repository.url, clones, whose=repository.organization_id)
    raise EngineError(
        f"The folder {folder} of repository {repository.name!r} is not there. "
        f"Put it back, or register the folder it moved to: contexten repos add PATH"
    )


async def _kept(store: Store, record: TurnRecord) -> Kept | None:
    """What the run changed in earlier turns, if anything was noted then."""
    if record.turn == 1:
        return None
    diff = await store.diffs.get(record.organization_id, record.run_id)
    return Kept(diff.turn, diff.changes) if diff.turn < record.turn else None


async def _builds_on(store: Store, record: TurnRecord) -> tuple[Earlier, ...]:
    """The runs that a run's metadata names, as far as its organization has them and they changed something."""
    named = record.metadata.get(BUILDS_ON)
    found = []
    for number in named if isinstance(named, list) else []:
        if type(number) is int and number != record.run_id:
            with suppress(NotThereError):
                diff = await store.diffs.get(record.organization_id, number)
                found += [Earlier(number, diff.changes)] if diff.changes else []
    return tuple(found)


async def _repository(store: Store, record: TurnRecord) -> LocalRepository:
    if record.repo_id is None:
        first = await store.repos.first(record.organization_id)
        if first is None:
            raise EngineError("There is no repository to work on. Register one: contexten repos add PATH")
        return first
    try:
        return await store.repos.get(record.organization_id, record.repo_id)
    except NotThereError as error:
        raise EngineError(
            f"Repository {record.repo_id}, which this run works on, was removed. Register it again: contexten repos add PATH"
        ) from error
