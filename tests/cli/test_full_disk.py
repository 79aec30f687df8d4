"""A full disk while a run is followed: the person sees what is wrong and what to do, and with room the run goes on."""

import resource
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.once


@contextmanager
def full_disk(pid, data):
    """Lets the files of a process grow as much as it takes to create a run, and no further."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    largest = (data / "contexten.sqlite-wal").stat().st_size + 90_000
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.fixture
def server(machine):
    with machine.start("up", "--port", "0", "--json") as process:
        process.stdout.readline()
        yield process
        machine.interrupt(process)


@pytest.mark.parametrize(
    "words", [("run", "Who calls refund_order?"), ("run", "overview", "--json")], ids=["log", "json"]
)
def test_whoever_follows_a_run_is_told_and_it_goes_on_with_room(machine, server, words):
    with machine.start(*words) as following:
        with full_disk(server.pid, machine.data):
            told = following.stderr.readline()
            goes_on = following.poll() is None
        out, err = following.communicate(timeout=150)
    assert told == "  waiting   The store is unavailable: the disk failed or is full. Look at it: contexten doctor.\n"
    assert goes_on
    assert following.returncode == 0, err
    assert "  answer " in out or '"status": "COMPLETE"' in out
