"""What to say when the thing that a command names is not there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from contexten.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contexten.cli.connect import Connection


@contextmanager
def known(connection: Connection, what: str, number: int) -> Iterator[None]:
    """Raise the server's "not found" as one that says what there is.

    Args:
        connection: to the server.
        what: `run`, `repo`, `token` or `workflow`.
        number: which.
    """
    try:
        yield
    except NotFoundError as error:
        hint = _newest_run(connection) if what == "run" else f"Those there are: {_LISTS[what]}"
        raise NotFoundError(
            f"no {what} {number} in organization {connection.client.org_id}. {hint}",
            status_code=error.status_code,
            body=error.body,
            request_id=error.request_id,
        ) from error


_LISTS = {"repo": "contexten repos list", "token": "contexten token list", "workflow": "contexten workflows list"}


def _newest_run(connection: Connection) -> str:
    runs = connection.client.list_agent_runs(limit=1).items
    return f"The newest is {runs[0].id}: contexten runs list" if runs else 'There are none yet: contexten run "…"'
