"""Claude Code sessions that the official command line reports: which run shows which session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from contexten.protocol import SourceType
from contexten.server.store import run_creation
from contexten.server.store.errors import NotThereError
from contexten.server.store.records import NewRun
from contexten.server.store.tables import sessions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction


class Sessions:
    """All reported sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, organization_id: int, user_id: int, session_id: str) -> int:
        """The id of the run that shows a session; the run is made when the session is new."""
        new = NewRun(
            organization_id=organization_id,
            user_id=user_id,
            prompt=f"Claude Code session {session_id}",
            engine="claude_code",
            source_type=SourceType.LOCAL,
            metadata={"session_id": session_id},
            queued=False,
        )
        prepared = run_creation.prepare(new)

        def work(transaction: Transaction) -> int:
            known = _run_of(transaction.connection, organization_id, session_id)
            if known is not None:
                return known
            run, _ = run_creation.create(transaction, prepared)
            row = {"organization_id": organization_id, "session_id": session_id, "run_id": run.id}
            transaction.connection.execute(insert(sessions).values(row))
            return run.id

        return await self._database.write(work)

    async def run_of(self, organization_id: int, session_id: str) -> int:
        """The id of the run that shows a session.

        Raises:
            NotThereError: the organization has no such session.
        """
        run_id = await self._database.read(lambda connection: _run_of(connection, organization_id, session_id))
        if run_id is None:
            raise NotThereError(f"There is no Claude Code session {session_id!r} in organization {organization_id}.")
        return run_id


def _run_of(connection: Connection, organization_id: int, session_id: str) -> int | None:
    whose = (sessions.c.organization_id == organization_id) & (sessions.c.session_id == session_id)
    return connection.scalar(select(sessions.c.run_id).where(whose))
