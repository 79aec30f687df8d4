"""Bringing back what happens to a run on another server: its log entries once each, and how it ends."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from contexten.protocol import LogEvent, MessageType, NewLogEntry

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.engines.base import Journal
    from contexten.protocol import AgentRun, LogEntry


async def mirror(client: AsyncCodegenClient, org_id: int, run_id: int, begins: int, journal: Journal) -> AgentRun:
    """Write a run's log entries as they come, until it ends; the run as it is then.

    Args:
        client: speaks with the server that does the run.
        org_id: its organization there.
        run_id: the run there.
        begins: where in its log this turn begins; what is before belongs to earlier turns.
        journal: where the entries go. Those that an earlier attempt wrote are not written again.

    Raises:
        ApiError: the server cannot be reached any more, or does not know the run.
    """
    known = await journal.entries()
    last_error: tuple[str, NewLogEntry] | None = None
    async with aclosing(client.run_events(run_id, org_id=org_id)) as events:
        async for event in events:
            if not isinstance(event, LogEvent) or event.position < begins:
                continue
            if last_error is not None:
                await journal.add(last_error[1], key=last_error[0])
                last_error = None
            key = f"remote-{event.position}"
            if key in known or event.entry.message_type == MessageType.USER_MESSAGE:
                continue
            if event.entry.message_type == MessageType.ERROR:
                last_error = key, _copied(event.entry)
            else:
                await journal.add(_copied(event.entry), key=key)
    run = await client.get_agent_run(run_id, org_id=org_id)
    if last_error is not None and run.result != last_error[1].thought:  # else it is told once, as the end of the run
        await journal.add(last_error[1], key=last_error[0])
    return run


def _copied(entry: LogEntry) -> NewLogEntry:
    kept = {name: value for name, value in entry.model_dump().items() if name in NewLogEntry.model_fields}
    return NewLogEntry.model_validate(kept | {"message_type": entry.message_type or MessageType.ACTION})
