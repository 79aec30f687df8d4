"""How failing checks of a repository are treated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from contexten.protocol import CheckSuiteSettings
from contexten.server.store.repos import find_repo
from contexten.server.store.tables import checks
from contexten.server.store.text_gate import to_json

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from contexten.protocol import CheckSuiteSettingsRequest
    from contexten.server.store.database import Database
    from contexten.server.store.transaction import Transaction

_DEFAULTS = CheckSuiteSettings(
    check_retry_count=0,
    ignored_checks=[],
    check_retry_counts={},
    custom_prompts={},
    high_priority_apps=[],
    available_check_suite_names=[],
)


class Checks:
    """The check settings of all repositories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, organization_id: int, repo_id: int) -> CheckSuiteSettings:
        """The settings, the defaults when nobody changed them.

        Raises:
            NotThereError: the organization has no such repository.
        """
        return await self._database.read(lambda connection: _settings(connection, organization_id, repo_id))

    async def update(
        self, organization_id: int, repo_id: int, changes: CheckSuiteSettingsRequest
    ) -> CheckSuiteSettings:
        """The settings after changing what is given.

        Raises:
            NotThereError: the organization has no such repository.
        """

        def work(transaction: Transaction) -> CheckSuiteSettings:
            connection = transaction.connection
            before = _settings(connection, organization_id, repo_id)
            after = before.model_copy(update=changes.model_dump(exclude_none=True))
            connection.execute(delete(checks).where(checks.c.repo_id == repo_id))
            connection.execute(insert(checks).values(repo_id=repo_id, settings=to_json(after.model_dump())))
            return _settings(connection, organization_id, repo_id)

        return await self._database.write(work)


def _settings(connection: Connection, organization_id: int, repo_id: int) -> CheckSuiteSettings:
    find_repo(connection, organization_id, repo_id)
    kept = connection.scalar(select(checks.c.settings).where(checks.c.repo_id == repo_id))
    return _DEFAULTS.model_copy(deep=True) if kept is None else CheckSuiteSettings.model_validate(kept)
