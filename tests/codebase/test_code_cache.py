"""The index on disk: damaged, of another version, not to be written, on a full disk."""

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from contexten.codebase import Codebase

FILES = {"a.py": "def f(): ...\n"}


def index_file(cache):
    (file,) = (cache / "codebase").glob("*.sqlite")
    return file


def test_a_cache_of_another_version_is_left_alone(project, root, tmp_path, monkeypatch):
    project(FILES)
    monkeypatch.setattr("contexten.codebase.store.FORMAT", "0-old")
    Codebase.from_path(root, cache=tmp_path / "cache")
    monkeypatch.undo()
    old = index_file(tmp_path / "cache")
    before = old.read_bytes()
    assert Codebase.from_path(root, cache=tmp_path / "cache").symbols("f")
    assert old.read_bytes() == before
    assert len(list(old.parent.glob("*.sqlite"))) == 2


def test_a_cache_with_other_tables_is_made_again(project, root, tmp_path):
    project(FILES)
    Codebase.from_path(root, cache=tmp_path / "cache")
    with closing(sqlite3.connect(index_file(tmp_path / "cache"))) as database:
        database.executescript("DROP TABLE files; CREATE TABLE files (something TEXT)")
    for _start in range(2):
        codebase = Codebase.from_path(root, cache=tmp_path / "cache")
        assert codebase.symbols("f")
        assert codebase.problems == []


def test_records_that_say_nothing_are_read_again(project, root, tmp_path):
    project(FILES)
    Codebase.from_path(root, cache=tmp_path / "cache")
    for damage in ("data = x'00'", "data = substr(data, 1, 20)", "data = 'text'", "data = 7"):
        with closing(sqlite3.connect(index_file(tmp_path / "cache"))) as database, database:
            database.execute(f"UPDATE records SET {damage}")
        codebase = Codebase.from_path(root, cache=tmp_path / "cache")
        assert codebase.symbols("f")
        assert codebase.problems == []


LIMITED = """
import resource, sys
from contexten.codebase import Codebase
resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))
codebase = Codebase.from_path(sys.argv[1], cache=sys.argv[2])
print(len(codebase.symbols("f7")), *(each.message for each in codebase.problems))
codebase.refresh()
print(len(codebase.symbols("f7")))
"""


def test_a_full_disk_is_said_and_done_without(project, root, tmp_path):
    project({f"m{number}.py": f"def f{number}(): '''{'x' * 5000} {number}'''\n" * 3 for number in range(30)})
    command = [sys.executable, "-c", LIMITED, str(root), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3 the index is not kept in "), done.stdout
    assert done.stdout.endswith("\n3\n")
    codebase = Codebase.from_path(root, cache=tmp_path / "cache")
    assert len(codebase.symbols("f7")) == 3
    assert codebase.problems == []


def test_a_cache_folder_that_may_not_be_written_is_said_and_done_without(somebody):
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "project").mkdir()
        (place / "project" / "a.py").write_text(FILES["a.py"])
        (place / "cache").mkdir(mode=0o555)
        with somebody():
            codebase = Codebase.from_path(place / "project", cache=place / "cache")
        assert codebase.symbols("f")
        assert [each.path for each in codebase.problems] == ["."]
        assert "Permission denied" in codebase.problems[0].message
