"""Files that change while they are looked at and read: the next refresh puts it right, and nothing false is kept."""

import os
import random
import shutil
import sqlite3
import sys
import threading
from contextlib import closing

import pytest

from contexten.codebase import Codebase, update
from contexten.codebase.languages import MAX_BYTES
from contexten.codebase.read import digest_of, scan

FIRST = "def first(): ...\nclass A:\n    def m(self): return first()\n"
SECOND = "def other(): ...\nclass A:\n    def n(self): return other()\n"
OPENING = {}


def _on_event(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0] in OPENING:
        OPENING.pop(arguments[0])()


@pytest.fixture(scope="module")
def hook():
    """Python offers no way to take an audit hook away: it does nothing once `OPENING` is empty."""
    sys.addaudithook(_on_event)


@pytest.fixture
def just_before_reading(hook):
    """Do something between the look at a file and its opening: at the very last moment."""

    def arrange(path, action):
        OPENING[str(path)] = lambda: action(path)

    yield arrange
    OPENING.clear()


def same_length(path):
    path.write_text(FIRST.replace("first", "third"))


def longer(path):
    path.write_text(FIRST + SECOND)


def cut_off(path):
    os.truncate(path, 20)


def emptied(path):
    os.truncate(path, 0)


def replaced(path):
    path.with_suffix(".new").write_text(SECOND)
    path.with_suffix(".new").replace(path)


def broken(path):
    path.write_bytes(b"def f(:\n\x00\xff")


def deleted(path):
    path.unlink()


def now_a_folder(path):
    path.unlink()
    path.mkdir()
    (path / "inner.py").write_text(SECOND)


def now_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def now_a_dangling_link(path):
    path.unlink()
    path.symlink_to(path.with_name("nothing.py"))


def now_huge(path):
    os.truncate(path, MAX_BYTES + 1)


def its_folder_gone(path):
    shutil.rmtree(path.parent)


ACTIONS = [
    same_length,
    longer,
    cut_off,
    emptied,
    replaced,
    broken,
    deleted,
    now_a_folder,
    now_a_pipe,
    now_a_dangling_link,
    now_huge,
    its_folder_gone,
]


def answers(codebase):
    """What the files say, in comparable form."""
    return {
        "files": [(each, each.modified) for each in codebase.files],
        "problems": codebase.problems,
        "symbols": [codebase.symbols_in(each.path) for each in codebase.files],
        "references": [codebase.references(each) for name in ("first", "A", "m") for each in codebase.symbols(name)],
        "context": str(codebase.relevant_context("first of A")),
    }


def is_true(cache, root):
    """Whether the index on disk says of every file what the file says."""
    (file,) = (cache / "codebase").glob("*.sqlite")
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT path, digest, data FROM files JOIN records USING (digest)").fetchall()
    contents = [(path, digest, data, (root / path).read_bytes()) for path, digest, data in rows]
    return all(digest == digest_of(p, text) and data == scan(p, text) for p, digest, data, text in contents)


CASES = {
    f"{action.__name__}, {'known' if known else 'new'}, {'trusted at once' if trusted else 'trusted later'}": (
        action,
        known,
        trusted,
    )
    for action in ACTIONS
    for known in (False, True)
    for trusted in (False, True)
    if action is not same_length or not trusted  # what has the same length is told apart by its age alone
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_changes_before_it_is_opened(root, monkeypatch, just_before_reading, name):
    action, known, trusted = CASES[name]
    if trusted:
        monkeypatch.setattr(update, "SETTLED_NS", 0)
    cache, path = root.parent / "cache", root / "pkg" / "b.py"
    path.parent.mkdir()
    path.write_text(SECOND * 2)
    (root / "a.py").write_text("from pkg.b import first\nfirst()\n")
    codebase = Codebase.from_path(root, cache=cache) if known else None
    path.write_text(FIRST)
    just_before_reading(path, action)
    codebase = codebase or Codebase.from_path(root, cache=cache)
    codebase.refresh()
    answers(codebase)
    assert not OPENING
    codebase.refresh()
    fresh = answers(Codebase.from_path(root, cache=None))
    assert answers(codebase) == fresh
    assert is_true(cache, root)
    assert answers(Codebase.from_path(root, cache=cache)) == fresh


VERSIONS = [FIRST, SECOND, "", "def f(:\n", FIRST * 40, "from m0 import first, A\nfirst(); A().m()\n" * 30]


def disturb(root, chosen, stop):
    """Write files in pieces, cut them off, swap, delete and rename them, until told to stop."""
    while not stop.is_set():
        path = root / f"p{chosen.randrange(3)}" / f"m{chosen.randrange(4)}.py"
        what, text = chosen.randrange(6), chosen.choice(VERSIONS)
        path.parent.mkdir(exist_ok=True)
        if what <= 2:
            with path.open("w", buffering=1) as file:
                for start in range(0, len(text), 50):
                    file.write(text[start : start + 50])
                    file.flush()
        elif what == 3 and path.exists():
            path.rename(path.with_name(f"m{chosen.randrange(4)}.py"))
        elif what == 4:
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path.parent)


@pytest.mark.parametrize("seed", [1, 2])
def test_files_that_change_all_the_while(root, tmp_path, seed):
    cache, stop = tmp_path / "cache", threading.Event()
    writer = threading.Thread(target=disturb, args=(root, random.Random(seed), stop))
    writer.start()
    try:
        codebase = Codebase.from_path(root, cache=cache)
        for _round in range(60):
            codebase.refresh()
            answers(codebase)
    finally:
        stop.set()
        writer.join()
    codebase.refresh()
    fresh = answers(Codebase.from_path(root, cache=None))
    assert answers(codebase) == fresh
    assert is_true(cache, root)
    assert answers(Codebase.from_path(root, cache=cache)) == fresh
