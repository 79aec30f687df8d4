"""`contexten runs delete` and `prune`: what is deleted, what is asked before, and what stays."""

import sqlite3
from contextlib import closing

import pytest

from cli.test_terminal import Screen, plain

pytestmark = pytest.mark.once


@pytest.fixture
def make(live):
    return lambda prompt="overview": str(live.json("run", prompt)["id"])


@pytest.fixture
def old(live, make):
    """A run that ended forty days ago."""
    number = make("an old one")
    with closing(sqlite3.connect(live.data / "contexten.sqlite", timeout=60)) as database, database:
        database.execute("UPDATE runs SET finished_at = finished_at - 40 * 86400 * 1000000 WHERE id = ?", [number])
    return number


def there(live, *numbers):
    return [live("runs", "show", number).returncode == 0 for number in numbers]


def test_several_runs_are_deleted_at_once(live, make):
    one, other, kept = make(), make(), make()
    done = live("runs", "delete", one, other, one, "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 runs deleted\n", "")
    assert there(live, one, other, kept) == [False, False, True]


def test_one_that_is_not_there_keeps_the_others(live, make):
    number = make()
    done = live("runs", "delete", number, "9999", "--yes")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no run 9999 in organization 1. The newest is ")
    assert there(live, number) == [True]


def test_in_a_pipe_and_with_json_it_needs_a_word(live, make):
    number = make()
    for words in ((), ("--json",)):
        done = live("runs", "delete", number, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Say it with --yes" in done.stderr
    assert live.json("runs", "delete", number, "--yes") == {"found": [int(number)], "deleted": [int(number)]}


@pytest.mark.parametrize(("answer", "left"), [("y", False), ("n", True), ("", True)])
def test_on_a_terminal_it_shows_and_asks(live, make, answer, left):
    number = make("Where is cancel defined?")
    screen = Screen(live, "runs", "delete", number)
    try:
        assert "Where is cancel defined?" in plain(screen.read(until="Delete 1 run for good? [y/N]"))
        screen.type(f"{answer}\n")
        assert ("Nothing was deleted" in screen.read()) is left
    finally:
        screen.close()
    assert there(live, number) == [left]


def test_old_runs_are_previewed_then_pruned(live, make, old):
    new = make()
    done = live("runs", "prune", "--older-than", "30d", "--dry-run")
    assert done.stderr == "1 run would be deleted.\n"
    assert done.stdout.splitlines()[1].startswith(f"{old}\tCOMPLETE\t40 d\tan old one")
    preview = live.json("runs", "prune", "--older-than", "30d", "--dry-run")
    assert preview == {"found": [int(old)], "deleted": []}
    assert live("runs", "prune", "--older-than", "30d").returncode == 2
    assert there(live, old, new) == [True, True]
    assert live.json("runs", "prune", "--older-than", "30 d", "--yes")["deleted"] == [int(old)]
    assert there(live, old, new) == [False, True]
    again = live("runs", "prune", "--older-than", "30d")
    assert (again.returncode, again.stderr) == (0, "No run ended that long ago.\n")


@pytest.mark.parametrize("age", ["", "d", "30", "-1d", "30y", "1.5h", "30d12h", "9999999d"])
def test_an_age_that_is_none_is_told(live, age):
    done = live("runs", "prune", "--older-than", age)
    assert done.returncode == 2
    assert done.stderr == f"error: the age is {age!r}. Write a number and a unit, such as 30d, 12h, 90min or 2w\n"


def test_an_age_before_all_time_is_one(live):
    assert live("runs", "prune", "--older-than", "999999w").stderr == "No run ended that long ago.\n"
