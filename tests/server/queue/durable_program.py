"""A program that does turns on a fresh SQLite file, and again after a restart, with nothing but the port to DBOS."""

import concurrent.futures
import sqlite3
import sys
import threading

from contexten.server.queue.durable import Durable, Waiting


def do_turns(url: str, first: int, count: int) -> list[int]:
    done, all_done = [], threading.Event()

    def work(waiting: Waiting) -> concurrent.futures.Future[None]:
        done.append(waiting.run_id)
        if len(done) == count:
            all_done.set()
        ended = concurrent.futures.Future()
        ended.set_result(None)
        return ended

    durable = Durable(url, "local", {"noop": 8}, work)
    durable.open()
    durable.enqueue(Waiting(run_id, 1, "noop") for run_id in range(first, first + count))
    assert all_done.wait(30), done
    durable.close()
    return done


def main(path: str) -> None:
    for first in (1, 21):
        assert sorted(do_turns(f"sqlite:///{path}", first, 20)) == list(range(first, first + 20))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        versions = connection.execute("SELECT version_name, version_timestamp FROM application_versions").fetchall()
    connection.close()
    assert len(versions) == 1, versions
    assert versions[0][1] > 1_700_000_000_000, "milliseconds since 1970"
    print("done on", *sys.version_info[:2])


if __name__ == "__main__":
    main(sys.argv[1])
