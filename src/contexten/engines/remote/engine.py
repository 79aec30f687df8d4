"""The engine that has another server do the run."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from contexten.engines.base import Availability
from contexten.engines.remote.destination import destination_of
from contexten.errors import ApiError, EngineError, EngineUnavailableError

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.engines.base import Journal, Outcome, Task
    from contexten.engines.remote.destination import Destination
    from contexten.engines.remote.handover import Handover
    from contexten.settings import ServerSettings

_CANCEL_SECONDS = 4.0


class RemoteEngine:
    """Hands runs to the server that CONTEXTEN_REMOTE_BASE_URL names, with the token that was given for it and no other.

    A resume goes on with the same run there, a cancel ends it there. Requests are repeated by the client's policy alone.

    Args:
        settings: which server, and as whom.
    """

    name = "remote"
    concurrency: int | None = 32
    uses_default_model = False

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings

    def availability(self) -> Availability:
        """Whether a server is named that is not this one. It is not asked."""
        try:
            return Availability(ready=True, detail=destination_of(self._settings).host)
        except EngineUnavailableError as error:
            return Availability(ready=False, detail=str(error))

    def objection(self, model: str | None) -> str | None:
        """Why a run cannot begin; None when it can."""
        del model  # the other server knows its models
        found = self.availability()
        if found.ready:
            return None
        variables = "CONTEXTEN_REMOTE_BASE_URL and CONTEXTEN_REMOTE_TOKEN"
        return f"The engine remote {found.detail}. Export {variables} of another server where this one is started."

    async def run(self, task: Task, journal: Journal) -> Outcome:
        """Have the run done there.

        Raises:
            EngineUnavailableError: no server is named, or the run would go in a circle.
            EngineError: the server refuses, cannot be reached for longer than the client's policy waits, or has no such
                repository.
        """
        from contexten.client import AsyncCodegenClient
        from contexten.engines.remote.handover import Handover

        if objection := self.objection(task.model):
            raise EngineUnavailableError(objection)
        there = destination_of(self._settings)
        try:
            async with AsyncCodegenClient(there.token, there.org_id, there.base_url) as client:
                handover = Handover(client, there, await _organization(client, there), task, journal)
                return await _followed(handover)
        except ApiError as error:
            said = str(error)
            raise EngineError(said if there.host in said else f"{there.host}: {said}") from error


async def _followed(handover: Handover) -> Outcome:
    from contexten.engines.remote.ending import outcome_of
    from contexten.engines.remote.mirror import mirror

    try:
        run_id = await handover.finish()
        run = await mirror(handover.client, handover.org_id, run_id, handover.begins, handover.journal)
    except asyncio.CancelledError:
        if handover.journal.over and handover.run_id is not None:
            with suppress(ApiError, TimeoutError):
                async with asyncio.timeout(_CANCEL_SECONDS):
                    await handover.client.cancel_agent_run(handover.run_id, org_id=handover.org_id)
        raise
    return await outcome_of(handover.client, run, handover.spent)


async def _organization(client: AsyncCodegenClient, there: Destination) -> int:
    """The organization of the setting, else the only one that the token reaches."""
    if there.org_id is not None:
        return there.org_id
    page = await client.list_organizations()
    if len(page.items) == 1:
        return page.items[0].id
    known = ", ".join(f"{item.id} ({item.name})" for item in page.items) or "none"
    raise EngineError(f"The token for {there.host} reaches these organizations: {known}. Set CONTEXTEN_REMOTE_ORG_ID.")
