"""Brings a database to the newest tables when it is opened; Alembic is loaded only when there is something to do."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from contexten.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_FOLDER = Path(__file__).parent / "migrations"
_PATIENCE = 30
"""Seconds to wait for a process that applies the same migrations."""
_VERSION_TABLE = "contexten_version"


def migrate(engine: Engine) -> None:
    """Apply the migrations that a database lacks, in one transaction that holds the right to write.

    A database that lacks none is only read. A second process that starts at the same time waits, and finds nothing left to do.

    Raises:
        StoreError: a newer version of Contexten wrote the database.
    """
    with engine.execution_options(contexten_writes=False).connect() as connection:
        if _version(connection) == newest_version():
            return
    import_module("alembic.command")  # takes a while, and others wait but a second for the right to write
    with engine.execution_options(contexten_patience=_PATIENCE).begin() as connection:
        _upgrade(connection)
    engine.dispose()  # the next connections are as patient as others


def newest_version() -> str:
    """The newest migration's name: the number that its file begins with."""
    return max(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - a constant
    return version


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    version = _version(connection)
    if version is not None and version > newest_version():
        raise StoreError(
            f"The database has tables of version {version}, newer than this Contexten's {newest_version()}. "
            "Upgrade Contexten: pip install -U contexten"
        )
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = _VERSION_TABLE
    command.upgrade(config, "head")
