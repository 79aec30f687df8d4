import asyncio
import resource
import sqlite3
import stat
import time
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from contexten.errors import SettingsError, StoreError, StoreUnavailableError
from contexten.protocol import NewLogEntry, Window
from contexten.server.store import Store, connections

pytestmark = pytest.mark.anyio


@pytest.fixture
def only_sqlite(settings):
    if settings.database_url is not None:
        pytest.skip("about the file of SQLite")


@pytest.fixture
def only_postgresql(settings):
    if settings.database_url is None:
        pytest.skip("about the server of PostgreSQL")


@pytest.fixture
def full_disk(store):
    """Lets files grow no further, as a full disk does; call the second to make room again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        beside = [store.path_beside(f"contexten.sqlite{end}") for end in ("", "-wal", "-shm")]
        largest = max(path.stat().st_size for path in beside if path.exists())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 60_000, hard))

    def make_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    yield fill, make_room
    make_room()


@contextmanager
def outside(store):
    """A connection that does not belong to the store."""
    engine = create_engine(make_url(store.url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def waits_for_lock(connection):
    """The backend of a store that waits to write a turn."""
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO turns%'"
    deadline = time.monotonic() + 150
    while (pid := connection.scalar(text(waits))) is None:
        assert time.monotonic() < deadline, "nobody waits"
    return pid


async def whole(store):
    """Everything that creating runs writes, which must agree with itself."""
    runs, total = await store.runs.list(1, Window())
    assert len(runs) == total
    events = [event for _, event in await store.events.after(0, limit=10_000)]
    for run in runs:
        assert await store.runs.get(1, run.id) == run
        mine = [event for event in events if event.agent_run_id == run.id]
        assert [event.position for event in mine if event.event == "log"] == list(range(run.log_count))
        assert sum(event.event == "status" for event in mine) == 1
    assert len((await store.search.find(1, "long", limit=100)).matches) == total
    return total


@pytest.mark.usefixtures("only_sqlite")
async def test_on_a_full_disk_nothing_is_half_written_and_room_heals_it(store, people, full_disk):
    fill, make_room = full_disk
    long = "a long prompt " * 500
    await store.runs.create(people.run(long))
    before = await whole(store)
    fill()
    creates = [store.runs.create(people.run(long)) for _ in range(20)]
    results = await asyncio.gather(*creates, return_exceptions=True)
    refused = [result for result in results if isinstance(result, StoreUnavailableError)]
    assert refused
    assert "the disk" in str(refused[0])
    assert await whole(store) == before + len(results) - len(refused)
    with pytest.raises(StoreUnavailableError):
        await store.events.append(1, 1, NewLogEntry(message_type="ACTION", thought=long * 20), key="a")
    make_room()
    assert await store.events.append(1, 1, NewLogEntry(message_type="ACTION", thought=long * 20), key="a")
    await store.runs.create(people.run(long))
    assert await whole(store) == before + len(results) - len(refused) + 1


@pytest.mark.usefixtures("only_sqlite")
async def test_reading_and_signing_in_go_on_when_the_disk_is_full(store, people, full_disk, caplog):
    await store.runs.create(people.run())
    full_disk[0]()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    assert await store.people.identify(people.secret) is not None
    assert (await store.runs.list(1, Window()))[1] == 1


@pytest.mark.usefixtures("only_sqlite")
async def test_a_locked_database_is_unavailable_and_can_be_read(store, people, monkeypatch):
    other = sqlite3.connect(store.database_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="locked by another process"):
        await store.runs.create(people.run())
    assert await store.runs.list(1, Window()) == ([], 0)
    other.execute("ROLLBACK")
    other.close()
    assert (await store.runs.create(people.run()))[0].id == 1


@pytest.mark.usefixtures("only_postgresql")
async def test_a_lost_connection_is_unavailable_and_comes_back(store, people):
    heard, loop = asyncio.Queue(), asyncio.get_running_loop()
    store.on_commit(lambda newest: loop.call_soon_threadsafe(heard.put_nowait, newest))
    await store.runs.create(people.run())
    with outside(store) as other:
        ends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'contexten'"
        assert other.scalar(text(ends)) > 0
    results = await asyncio.gather(*(store.runs.get(1, 1) for _ in range(3)), return_exceptions=True)
    assert all(not isinstance(result, Exception) or isinstance(result, StoreUnavailableError) for result in results)
    async with asyncio.timeout(150):
        run, _ = await store.runs.create(people.run())
        while await heard.get() < 4:
            pass
    assert run.id == 2


@pytest.mark.usefixtures("only_postgresql")
async def test_a_connection_lost_within_a_write_leaves_nothing(store, people):
    """The writer has written a run, and waits for a table that this test holds, when it is cut off: alone, then in a batch."""
    with outside(store) as holder, outside(store) as other:
        holder.execute(text("BEGIN"))
        holder.execute(text("LOCK TABLE turns IN ACCESS EXCLUSIVE MODE"))
        waiting = [asyncio.ensure_future(store.runs.create(people.run()))]
        for many_more in (3, 0):
            pid = await asyncio.to_thread(waits_for_lock, other)
            behind = [asyncio.ensure_future(store.runs.create(people.run())) for _ in range(many_more)]
            await asyncio.sleep(0)
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert {type(result) for result in results} == {StoreUnavailableError}
            waiting = behind
        holder.execute(text("ROLLBACK"))
    assert await store.runs.list(1, Window()) == ([], 0)
    assert await store.events.last_id() == 0
    assert (await store.runs.create(people.run()))[0].id == 1


@pytest.mark.usefixtures("only_postgresql")
async def test_a_writer_that_waits_too_long_for_its_right_is_unavailable(settings, store, people):
    """Another process holds the right to write, and does not end."""
    url = make_url(settings.database_url.get_secret_value())
    impatient = url.update_query_dict({"options": "-c lock_timeout=200ms"}).render_as_string(hide_password=False)
    other = Store.open(settings.model_copy(update={"database_url": SecretStr(impatient)}))
    try:
        with outside(store) as holder:
            holder.execute(text("SELECT pg_advisory_lock(:key)"), {"key": connections._WRITE_LOCK})
            with pytest.raises(StoreUnavailableError, match="55P03"):
                await other.runs.create(people.run())
            holder.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": connections._WRITE_LOCK})
        assert (await other.runs.create(people.run()))[0].id == 1
    finally:
        other.close()


async def test_a_closed_store_says_so(store, people):
    store.close()
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.runs.get(1, 1)
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.runs.create(people.run())


async def test_closing_writes_what_waits(settings, store, people):
    creates = [asyncio.ensure_future(store.runs.create(people.run())) for _ in range(30)]
    await asyncio.sleep(0)
    store.close()
    assert len({run.id for run, _ in await asyncio.gather(*creates)}) == 30
    again = Store.open(settings)
    assert (await again.runs.list(1, Window()))[1] == 30
    again.close()


async def test_who_no_longer_waits_takes_nothing_from_the_others(store, people):
    creates = [asyncio.ensure_future(store.runs.create(people.run())) for _ in range(20)]
    await asyncio.sleep(0)
    for create in creates[::2]:
        create.cancel()
    results = await asyncio.gather(*creates, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
    kept = {run.id for run, _ in results[1::2]}
    assert len(kept) == 10
    assert kept <= {run.id for run in (await store.runs.list(1, Window()))[0]}


@pytest.mark.usefixtures("only_sqlite")
def test_files_are_for_their_owner_only(settings, store):
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.database_path.stat().st_mode) == 0o600
    assert store.path_beside("queue.sqlite") == settings.data_dir / "queue.sqlite"


@pytest.mark.usefixtures("only_sqlite")
def test_a_folder_that_cannot_be_made_is_said(settings, tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        Store.open(settings)


@pytest.mark.usefixtures("only_sqlite")
def test_a_file_that_is_no_database_is_said(settings):
    settings.data_dir.mkdir()
    (settings.data_dir / "contexten.sqlite").write_text("my shopping list " * 100)
    with pytest.raises(StoreError, match="is not one"):
        Store.open(settings)


@pytest.mark.parametrize("url", ["mysql://root:hush@h/d", "nonsense hush", "sqlite:///hush.db"])
def test_an_address_of_another_kind_is_refused_without_repeating_it(tmp_path, url):
    from contexten.settings import ServerSettings

    with pytest.raises(SettingsError) as refused:
        Store.open(ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=tmp_path, CONTEXTEN_DATABASE_URL=url))
    assert "hush" not in str(refused.value)


def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    from contexten.settings import ServerSettings

    url = "postgres://me:hush@127.0.0.1:1/none"
    with pytest.raises(StoreUnavailableError) as refused:
        Store.open(ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=tmp_path, CONTEXTEN_DATABASE_URL=url))
    assert "hush" not in str(refused.value)
