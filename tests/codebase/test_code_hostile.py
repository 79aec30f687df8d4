"""Files made to break a reader: each is reported or read, and the others are read all the same."""

import pytest

from contexten.codebase import Codebase, read, workers
from contexten.codebase.workers import read_files

DEEP = 100_000
HOSTILE = {
    "broken": b"def f(:\n",
    "parentheses": b"(" * DEEP,
    "minus": b"-" * DEEP + b"1",
    "attributes": b"a" + b".b" * DEEP,
    "calls": b"a" + b"()" * DEEP,
    "sum": b"+".join([b"1"] * DEEP),
    "lambdas": b"lambda: " * DEEP + b"1",
    "branches": b"if a: pass\n" + b"elif b: pass\n" * DEEP,
    "null byte": b"x = 1\n\x00\n",
    "not UTF-8": b"x = '\xff\xfe'\n",
    "unknown coding": b"# coding: klingon\nx = 1\n",
    "binary": bytes(range(256)) * 64,
}
FINE = {
    "one line of a megabyte": b"x = [" + b"1, " * 350_000 + b"]\n",
    "one long text": b"x = '" + b"a" * 1_000_000 + b"'\n",
    "empty": b"",
    "byte order mark": b"\xef\xbb\xbfx = 1\n",
    "latin-1": b"# coding: latin-1\nx = '\xe9'\n",
    "carriage returns": b"def f():\r    return 1\rx = f()\r",
    "escape warnings": b"x = '\\d'\n",
    "chain": b"x = a" + b".b()" * 300 + b"\n",
    "nested brackets": b"x = " + b"[" * 150 + b"]" * 150 + b"\n",
    "surrogates": b"x = '\\ud800'\n__all__ = ['\\udfff']\n",
    "many names": b"".join(b"v%d = 1\n" % number for number in range(20_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_read_is_reported_and_skipped(root, name):
    (root / "bad.py").write_bytes(HOSTILE[name])
    (root / "good.py").write_text("def fine(): ...\n")
    codebase = Codebase.from_path(root, cache=None)
    assert [each.path for each in codebase.problems] == ["bad.py"]
    assert codebase.problems[0].message
    assert [each.location for each in codebase.symbols("fine")] == ["good.py:1"]
    assert [each.path for each in codebase.files] == ["bad.py", "good.py"]
    codebase.search_text("x")


@pytest.mark.parametrize("name", FINE)
def test_an_odd_file_is_read(root, name):
    (root / "odd.py").write_bytes(FINE[name])
    codebase = Codebase.from_path(root, cache=None)
    assert codebase.problems == []
    for symbol in codebase.symbols_in("odd.py")[:5]:
        codebase.references(symbol)
    codebase.relevant_context("x")


def test_a_long_file_is_reported(root):
    (root / "long.py").write_bytes(b"#" * (9 * 2**20))
    codebase = Codebase.from_path(root, cache=None)
    assert [(each.path, each.message) for each in codebase.problems] == [("long.py", "longer than 8 MB")]


def test_reading_in_processes_gives_what_reading_in_this_one_gives(root):
    for number in range(40):
        (root / f"m{number}.py").write_text(f"def f{number}(): return g{number}(1)\n" * 400)
    (root / "bad.py").write_bytes(HOSTILE["attributes"])
    sizes = {each.name: each.stat().st_size for each in root.iterdir()} | {"gone.py": 100}
    alone = read_files(str(root), sizes, processes=0)
    assert read_files(str(root), sizes, processes=2) == alone
    assert alone["gone.py"].error == "No such file or directory"


@pytest.fixture
def many(root):
    for number in range(30):
        (root / f"m{number}.py").write_text(f"def f{number}(): return g{number}(1)\n" * 900)
    return {each.name: each.stat().st_size for each in root.iterdir()}


def test_a_file_that_ends_the_process_is_reported_and_the_others_are_read(root, many, monkeypatch):
    boot = workers._BOOT.replace(
        "main(",
        "from contexten.codebase import worker; import os; read = worker.read_file; "
        "worker.read_file = lambda root, path: os._exit(11) if path == 'm3.py' else read(root, path); main(",
    )
    monkeypatch.setattr(workers, "_BOOT", boot)
    readings = read_files(str(root), many, processes=2)
    assert [path for path, each in readings.items() if each.error] == ["m3.py"]
    assert readings["m3.py"].error == "the parser fell over it"
    assert readings.keys() == many.keys()


def test_without_processes_the_files_are_read_all_the_same(root, many, monkeypatch):
    monkeypatch.setattr(workers, "_BOOT", "raise SystemExit(1)")
    assert read_files(str(root), many, processes=2) == read_files(str(root), many, processes=0)


def test_a_fault_of_the_reader_is_the_problem_of_one_file(root, monkeypatch):
    (root / "bad.py").write_text("x = 1\n")
    (root / "good.py").write_text("def fine(): ...\n")
    scan = read.scan_python
    monkeypatch.setattr(read, "scan_python", lambda source: scan(source) if b"fine" in source else {}["x"])
    codebase = Codebase.from_path(root, cache=None)
    assert [(each.path, each.message) for each in codebase.problems] == [("bad.py", "it cannot be read: KeyError('x')")]
    assert codebase.symbols("fine")
