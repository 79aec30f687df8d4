"""A program that does turns on a fresh SQLite file, and again after a restart, with nothing but the port to DBOS."""

import concurrent.futures
import sqlite3
import sys
import threading

from contexten.server.queue.durable import Durable, Waiting


def do_turns(url: str, runs: range) -> None:
    """Do one turn of each run. A turn whose end a stop kept from being written may be given out again, later."""
    left, all_done = set(runs), threading.Event()

    def work(waiting: Waiting) -> concurrent.futures.Future[None]:
        left.discard(waiting.run_id)
        if not left:
            all_done.set()
        ended = concurrent.futures.Future()
        ended.set_result(None)
        return ended

    durable = Durable(url, "local", {"noop": 8}, work)
    durable.open()
    durable.enqueue(Waiting(run_id, 1, "noop") for run_id in runs)
    assert all_done.wait(150), left
    durable.close()


def main(path: str) -> None:
    for runs in (range(1, 21), range(21, 41)):
        do_turns(f"sqlite:///{path}", runs)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        versions = connection.execute("SELECT version_name, version_timestamp FROM application_versions").fetchall()
    connection.close()
    assert len(versions) == 1, versions
    assert versions[0][1] > 1_700_000_000_000, "milliseconds since 1970"
    print("done")


if __name__ == "__main__":
    main(sys.argv[1])
