"""Making a run on another server, or going on with it there: once, even if this server stops in the middle.

What is going to be asked for is noted first, with a name of its own that goes along; what came of it is noted after. Whoever finds
the first note without the second asks under the same name, or looks whether it has happened.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contexten.engines.base import BUILDS_ON
from contexten.engines.git import unstoppable
from contexten.engines.remote.destination import MARK, handed_on
from contexten.engines.remote.ending import spent_by
from contexten.errors import ConnectionLostError, EngineError, RequestTimeoutError
from contexten.protocol import MessageType, NewLogEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.client import AsyncCodegenClient
    from contexten.engines.base import Journal, Task
    from contexten.engines.remote.destination import Destination
    from contexten.protocol import AgentRun, AgentRunWithLogs, LogEntry

INTENT, REMOTE = "intent", "remote"
"""Keys of the two notes."""
_LOOKED_AT = 300
"""Newest runs among which one that may have been made is looked for."""


@dataclass(slots=True)
class Handover:
    """A run on its way to another server.

    Args:
        client: speaks with that server.
        there: which one it is.
        org_id: the organization there.
        task: the turn.
        journal: the turn's log.
    """

    client: AsyncCodegenClient
    there: Destination
    org_id: int
    task: Task
    journal: Journal
    run_id: int | None = None
    """The run there, as soon as it is known."""
    begins: int = 0
    """Where the log of this turn begins in the log there."""
    spent: dict[str, Any] = field(default_factory=dict)
    """What the turns before had consumed there."""

    async def finish(self) -> int:
        """Hand the turn over, unless that has been done; the id of the run there.

        Raises:
            EngineError: it cannot be known whether the run was made there, or there is no repository of its name.
            ApiError: the server there refused, or cannot be reached.
        """
        entries = await self.journal.entries()
        intent = _noted(entries.get(INTENT))
        self.spent = (intent or {}).get("spent", {})
        if (noted := _noted(entries.get(REMOTE))) is not None:
            self.run_id, self.begins = int(noted["run_id"]), int(noted["begins"])
            return self.run_id
        earlier = _noted(await self.journal.last(REMOTE))
        if earlier is None:
            run = await self._create(intent)
        else:
            self.run_id = int(earlier["run_id"])
            run = await self._resume(self.run_id, intent)
        await self._note(run)
        return run.id

    async def _create(self, intent: dict[str, Any] | None) -> AgentRun:
        again = intent is not None
        if intent is None:
            self._check_begins_alike()
            via = handed_on(self.task.metadata)
            intent = {"name": secrets.token_hex(16), "via": via, "repo_id": await self._repository()}
            await self._announce(intent)
        if again and not await self._agrees_on_names():
            return await self._made(intent)
        try:
            return await unstoppable(self._ask_for_run(intent))
        except (ConnectionLostError, RequestTimeoutError):
            return await self._made(intent)

    async def _ask_for_run(self, intent: Mapping[str, Any]) -> AgentRun:
        mark = {"name": intent["name"], "via": intent["via"]}
        run = await self.client.create_agent_run(
            self.task.prompt,
            images=self.task.images or None,
            model=self.task.model,
            repo_id=intent["repo_id"],
            metadata={**_forwarded(self.task.metadata), MARK: mark},
            idempotency_key=intent["name"],
            org_id=self.org_id,
        )
        self.run_id = run.id
        return run

    async def _made(self, intent: Mapping[str, Any]) -> AgentRun:
        """The run that may have been made under a name."""
        seen = 0
        async for run in self.client.iter_agent_runs(org_id=self.org_id):
            mark = (run.metadata or {}).get(MARK)
            if isinstance(mark, dict) and mark.get("name") == intent["name"]:
                self.run_id = run.id
                return run
            seen += 1
            if seen == _LOOKED_AT:
                break
        raise EngineError(
            f"The connection to {self.there.host} broke while the run was being made there, and it is not in the list of runs. "
            "It is not asked for a second time, because it may still begin. Look there, then start a new run here."
        )

    async def _agrees_on_names(self) -> bool:
        """Whether the server makes one run of two requests under one name: ours do."""
        return "contexten-version" in (await self.client.request("GET", "/v1/users/me")).headers

    async def _resume(self, run_id: int, intent: dict[str, Any] | None) -> AgentRun:
        page = await self.client.get_agent_run_logs(run_id, limit=1, org_id=self.org_id)
        if intent is None:
            self.begins = page.total_logs or 0
            self.spent = spent_by(await self.client.get_agent_run(run_id, org_id=self.org_id))
            await self._announce({"begins": self.begins, "spent": self.spent})
        else:
            self.begins = int(intent["begins"])
            if self._goes_on(page):
                return await self.client.get_agent_run(run_id, org_id=self.org_id)
        try:
            return await unstoppable(
                self.client.resume_agent_run(run_id, self.task.prompt, self.task.images or None, org_id=self.org_id)
            )
        except (ConnectionLostError, RequestTimeoutError):
            if self._goes_on(await self.client.get_agent_run_logs(run_id, limit=1, org_id=self.org_id)):
                return await self.client.get_agent_run(run_id, org_id=self.org_id)
            raise

    def _goes_on(self, page: AgentRunWithLogs) -> bool:
        """Whether the run there was resumed: it works again, or has, since its log had this turn's beginning."""
        return not page.is_terminal or (page.total_logs or 0) > self.begins

    async def _repository(self) -> int:
        """The repository there with the name of the one here."""
        if self.there.repo_id is not None:
            return self.there.repo_id
        wanted = self.task.repo_name.casefold()
        async for repository in self.client.iter_repositories(org_id=self.org_id):
            if wanted in {repository.name.casefold(), repository.full_name.casefold()}:
                return repository.id
        raise EngineError(
            f"{self.there.host} has no repository named {self.task.repo_name!r}. Add it there, or set CONTEXTEN_REMOTE_REPO_ID "
            "to the one that runs shall work on."
        )

    def _check_begins_alike(self) -> None:
        if self.task.builds_on:
            runs = ", ".join(str(earlier.run_id) for earlier in self.task.builds_on)
            raise EngineError(
                f"This run builds on what run {runs} changed here, which {self.there.host} does not have. "
                "Have it done by an engine of this server, or apply those changes first and start it by itself."
            )

    async def _announce(self, intent: Mapping[str, Any]) -> None:
        said = f"Handing the run to {self.there.host}."
        entry = NewLogEntry(message_type=MessageType.ACTION, thought=said, tool_output=dict(intent))
        await self.journal.add(entry, key=INTENT)

    async def _note(self, run: AgentRun) -> None:
        entry = NewLogEntry(
            message_type=MessageType.AGENT_RUN_LINK,
            thought=f"run {run.id} at {self.there.host}{f' · {run.web_url}' if run.web_url else ''}",
            tool_output={"run_id": run.id, "begins": self.begins, "url": run.web_url},
        )
        await self.journal.add(entry, key=REMOTE)


def _forwarded(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata that mean the same on another server: the numbers of runs do not."""
    return {name: value for name, value in metadata.items() if name != BUILDS_ON}


def _noted(entry: LogEntry | None) -> dict[str, Any] | None:
    return entry.tool_output if entry is not None else None
