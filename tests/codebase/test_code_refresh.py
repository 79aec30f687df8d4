"""An index that is brought up to date is the same as a fresh one, whatever happened."""

import os
import random
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.codebase import Codebase
from contexten.codebase.update import Changes
from contexten.errors import UsageError

PATHS = ["a.py", "b.py", "pkg/__init__.py", "pkg/c.py", "pkg/a.py", "pkg/sub/__init__.py", "d.py"]
TEXTS = [
    "",
    "def f(): ...\nclass A:\n    def m(self): return self.n\n    n = f()\n",
    "from a import *\nf()\nA().m()\n",
    "from pkg.c import f as g, A\nclass B(A):\n    def m(self): return super().m() or g()\n",
    "from . import c\nfrom .a import f\nc.f(); f()\n",
    "import pkg.c, pkg.a\npkg.c.f(pkg.a.A)\n",
    "from b import f\nfrom pkg import *\n__all__ = ['f', 'A']\n",
    "def f(:\n",
    "class A:\n    def m(self): ...\ndef f() -> A: ...\nf().m()\n",
]
OTHER_TEXTS = {
    "w.js": ["function f() { return A() }\n", "class A extends B { m() { f() } }\n", "f(; {{\n"],
    "pkg/v.ts": ["export function f(x: A) { return new B() }\n", "interface A { m(): void }\n"],
    "X.java": ["class A extends B { int m() { return f(); } }\n", "class B {}\n"],
    "y.go": ["package y\nfunc f() { m() }\n", "package y\ntype A struct{}\n"],
    "z.rs": ["fn f() { m() }\n", "struct A;\n"],
    "v.c": ["int f(void) { return m(); }\n", "struct A { int n; };\n"],
    "v.cpp": ["class A : B { int m() { return f(); } };\n", "int f() { return 1; }\n"],
}
WRITE = st.one_of(
    st.tuples(st.sampled_from(PATHS), st.sampled_from(TEXTS)),
    st.sampled_from([(path, text) for path, texts in OTHER_TEXTS.items() for text in texts]),
)
EVERY_PATH = st.sampled_from([*PATHS, *OTHER_TEXTS])
EDIT = st.one_of(
    st.tuples(st.just("write"), WRITE, st.integers(0, 3)),
    st.tuples(st.just("delete"), EVERY_PATH, st.just(0)),
    st.tuples(st.just("rename"), st.tuples(EVERY_PATH, EVERY_PATH), st.just(0)),
    st.tuples(st.just("touch"), st.tuples(EVERY_PATH), st.integers(0, 3)),
)
NAMES = ["f", "A", "B", "m", "n", "A.m", "pkg.c.f", "a"]


def everything(codebase):
    """All that can be asked, in comparable form."""
    symbols = [symbol for name in NAMES for symbol in codebase.symbols(name)]
    return {
        "files": [(each, each.modified) for each in codebase.files],
        "problems": codebase.problems,
        "symbols": symbols,
        "definitions": [codebase.symbols_in(each.path) for each in codebase.files],
        "references": [codebase.references(each, possible=True) for each in symbols],
        "callers": [codebase.callers(each, depth=3) for each in symbols],
        "callees": [codebase.callees(each, depth=3) for each in symbols],
        "subclasses": [codebase.subclasses(each) for each in symbols],
        "imports": [codebase.imports(each.path) for each in codebase.files],
        "importers": [codebase.importers(each.path) for each in codebase.files],
        "rank": codebase.rank(),
        "cycles": codebase.cycles(),
        "similar": [codebase.similar(each) for each in symbols],
        "context": str(codebase.relevant_context("call m of A in f", "a.py", 300) if codebase.file("a.py") else ""),
        "context without a caller": codebase.relevant_context("call m of A in f", None, 900).as_data(),
    }


def apply(root, edit):
    what, value, weeks = edit
    if what == "delete":
        (root / value).unlink(missing_ok=True)
        return
    path = root / value[-1] if what == "rename" else root / value[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "rename" and (root / value[0]).exists():
        (root / value[0]).rename(path)
    elif what == "write":
        path.write_text(value[1])
    if what != "rename" and path.exists():
        os.utime(path, (10**9 + weeks * 7 * 86400,) * 2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(st.lists(EDIT, min_size=1, max_size=4), min_size=1, max_size=5), asked=st.booleans())
def test_after_any_edits_the_index_is_as_if_made_afresh(steps, asked):
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "project"), Path(folder, "cache")
        root.mkdir()
        codebase = Codebase.from_path(root, cache=cache)
        for step in steps:
            for edit in step:
                apply(root, edit)
            codebase.refresh()
            if asked:
                everything(codebase)
        fresh = everything(Codebase.from_path(root, cache=None))
        assert everything(codebase) == fresh
        assert everything(Codebase.from_path(root, cache=cache)) == fresh


def test_refresh_says_what_it_found(project, root):
    codebase = project({"a.py": "def f(): ...\n", "b.py": "", "c.py": ""})
    assert codebase.refresh() == Changes()
    (root / "a.py").write_text("def g(): ...\n")
    (root / "b.py").unlink()
    (root / "d.py").write_text("")
    (root / "c.py").touch()
    assert codebase.refresh() == Changes(added=("d.py",), changed=("a.py",), removed=("b.py",))
    assert codebase.symbols("f") == []
    assert [each.location for each in codebase.symbols("g")] == ["a.py:1"]


def test_a_change_that_leaves_time_and_size_alone_is_seen(project, root):
    codebase = project({"a.py": "x = 1\n"})
    status = (root / "a.py").stat()
    (root / "a.py").write_text("y = 1\n")
    os.utime(root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert codebase.refresh().changed == ("a.py",)


def test_the_next_start_reads_only_what_changed(project, root, tmp_path, monkeypatch):
    project({"a.py": "def f(): ...\n", "b.py": "from a import f\nf()\n"})
    first = everything(Codebase.from_path(root, cache=tmp_path / "cache"))
    read = []
    monkeypatch.setattr("contexten.codebase.workers.read_file", lambda _root, path: read.append(path))
    assert everything(Codebase.from_path(root, cache=tmp_path / "cache")) == first
    (root / "c.py").write_text("def f(): ...\n")  # the content of a.py: known already
    codebase = Codebase.from_path(root, cache=tmp_path / "cache")
    assert [each.path for each in codebase.symbols("f")] == ["a.py", "c.py"]
    assert read == []


def test_a_damaged_cache_is_made_again(project, root, tmp_path):
    project({"a.py": "def f(): ...\n"})
    Codebase.from_path(root, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache" / "codebase").glob("*.sqlite")
    assert file.parent.stat().st_mode & 0o777 == 0o700
    with sqlite3.connect(file) as database:
        database.execute("UPDATE records SET data = zeroblob(length(data))")
    database.close()
    assert Codebase.from_path(root, cache=tmp_path / "cache").symbols("f")
    for rest in file.parent.glob("*-wal"):
        rest.unlink()
    file.write_bytes(b"this is no database" * 1000)
    codebase = Codebase.from_path(root, cache=tmp_path / "cache")
    assert codebase.symbols("f")
    assert codebase.problems == []
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM files").fetchone() == (1,)
    database.close()


def test_a_cache_that_cannot_be_written_is_said_and_done_without(project, root, tmp_path):
    project({"a.py": "def f(): ...\n"})
    (tmp_path / "cache").write_text("a file, not a folder")
    codebase = Codebase.from_path(root, cache=tmp_path / "cache")
    assert codebase.symbols("f")
    assert [each.path for each in codebase.problems] == ["."]
    within = Codebase.from_path(root, cache=root / "cache")
    assert not (root / "cache").exists()
    assert "within the folder" in within.problems[0].message


def test_two_indexes_may_share_a_cache(project, root, tmp_path):
    project({f"m{number}.py": f"def f{number}(): ...\n" for number in range(30)})
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(len(Codebase.from_path(root, cache=tmp_path / "c").files)))
        for _each in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert results == [30] * 4


def test_answers_agree_with_each_other_while_another_thread_refreshes(project, root):
    versions = ["def f(): ...\n", "\n\n\ndef f(): ...\ndef g(): f()\n"]
    codebase = project({"a.py": versions[0], "b.py": "from a import f\nf()\n"})
    expected = [{"a.py:1"}, {"a.py:4"}]
    stop, wrong = threading.Event(), []

    def ask():
        while not stop.is_set():
            questions = codebase.questions
            (f,) = (each for each in questions.symbols("f") if each.kind == "function")
            lines = {each.line for each in questions.references(f, ["call"]) if each.path == "a.py"}
            if {f.location} not in expected or lines not in (set(), {5}) or (f.line == 4) != (lines == {5}):
                wrong.append((f.location, lines))

    readers = [threading.Thread(target=ask) for _each in range(4)]
    for each in readers:
        each.start()
    chosen = random.Random(1)
    for _round in range(25):
        (root / "a.py").write_text(versions[chosen.randrange(2)])
        codebase.refresh()
    stop.set()
    for each in readers:
        each.join()
    assert wrong == []


def test_a_watch_sees_changes_until_it_is_closed(project, root):
    codebase = project({"a.py": "x = 1\n"})
    seen, found = [], threading.Event()

    def on_change(changes):
        seen.append(changes)
        found.set()

    (root.parent / "b.py").write_text("def late(): ...\n")
    with codebase.watch(interval=0.02, on_change=on_change):
        (root.parent / "b.py").rename(root / "b.py")  # whole from the beginning
        assert found.wait(150)
    assert seen[0].added == ("b.py",)
    assert codebase.symbols("late")
    with pytest.raises(UsageError, match="interval must be > 0"):
        codebase.watch(interval=0)


def test_a_folder_that_goes_away_is_an_empty_one(project, root):
    codebase = project({"a.py": "x = 1\n"})
    shutil.rmtree(root)
    assert codebase.refresh().removed == ("a.py",)
    assert codebase.files == []
    assert [each.path for each in codebase.problems] == ["."]
