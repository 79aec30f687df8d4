"""What is remembered of folders between two looks, and when it is not trusted."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.codebase import folders
from contexten.codebase.walk import Scope, Walker

HOUR_NS = 3600 * 10**9


@pytest.fixture
def listed(monkeypatch):
    """The folders that are listed, by name."""
    names, scandir = [], os.scandir

    def watched(place):
        names.append(Path(place).name)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", watched)
    return names


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    """The file in which the system tells its mounts."""
    place = tmp_path / "mountinfo"
    monkeypatch.setattr(folders, "_MOUNTS", place)
    return place


@pytest.fixture
def an_hour_later(monkeypatch):
    now = time.time_ns
    monkeypatch.setattr(folders.time, "time_ns", lambda: now() + HOUR_NS)


def walker_of(root, **paths):
    for path, text in paths.items():
        place = root / path.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_suffix(".py").write_text(text)
    return Walker(Scope(root))


def next_tick(root):
    """Wait until the file system gives another time than it gave to any folder below."""
    last = max(Path(each).stat().st_ctime_ns for each, _, _ in os.walk(root))
    while True:
        with tempfile.NamedTemporaryFile(dir=root.parent) as probe:
            if os.fstat(probe.fileno()).st_ctime_ns > last:
                return


def test_a_folder_that_shows_no_change_is_not_listed_again(root, listed, an_hour_later):
    walker = walker_of(root, one__a="", two__b="", two__deep__c="")
    before = walker.walk().files
    assert sorted(listed) == ["deep", "one", "project", "two"]
    listed.clear()
    assert walker.walk().files == before
    assert not listed
    (root / "two" / "b.py").write_text("longer")
    assert walker.walk().files["two/b.py"].size == 6
    assert not listed
    next_tick(root)
    listed.clear()
    (root / "two" / "new.py").write_text("")
    assert "two/new.py" in walker.walk().files
    assert listed == ["two"]


def test_a_folder_that_has_just_changed_is_listed_again(root, listed, monkeypatch):
    walker = walker_of(root, one__a="")
    changed = max(root.stat().st_ctime_ns, (root / "one").stat().st_ctime_ns)
    monkeypatch.setattr(folders.time, "time_ns", lambda: changed + folders.SETTLED_NS // 2)
    walker.walk()
    listed.clear()
    walker.walk()
    assert sorted(listed) == ["one", "project"]


@pytest.mark.usefixtures("an_hour_later")
@pytest.mark.parametrize("kind", ["nfs4", "9p", "fuse.sshfs", "vfat"])
def test_file_systems_that_keep_no_exact_times_are_always_listed(root, listed, mounts, kind):
    mounts.write_text(
        f"22 1 0:20 / / rw shared:1 - ext4 /dev/disk rw\n23 22 0:21 / {root.parent}/pro\\152ect rw - {kind} other rw\n"
    )
    walker = walker_of(root, one__a="")
    walker.walk()
    listed.clear()
    walker.walk()
    assert sorted(listed) == ["one", "project"]


@pytest.mark.usefixtures("an_hour_later", "mounts")
def test_where_the_system_does_not_tell_its_mounts_folders_are_always_listed(root, listed):
    walker = walker_of(root, one__a="")
    walker.walk()
    listed.clear()
    walker.walk()
    assert sorted(listed) == ["one", "project"]


def test_another_ignore_file_decides_anew_about_folders_that_show_no_change(root, an_hour_later):
    walker = walker_of(root, a="", one__a="", one__deep__b="")
    (root / ".gitignore").write_text("# nothing yet\n")
    assert sorted(walker.walk().files) == ["a.py", "one/a.py", "one/deep/b.py"]
    (root / ".gitignore").write_text("deep/\na.py\n")
    assert not walker.walk().files
    (root / ".gitignore").write_text("/a.py\n")
    assert sorted(walker.walk().files) == ["one/a.py", "one/deep/b.py"]


NAMES = st.sampled_from(["a", "b", "c"])
PLACES = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
EDITS = st.one_of(
    st.tuples(st.just("write"), PLACES, st.sampled_from(["x.py", "y.py", "z.txt", ".hidden.py", ".gitignore"])),
    st.tuples(st.just("remove"), PLACES, st.just("")),
    st.tuples(st.just("move"), PLACES, PLACES),
    st.tuples(st.just("link"), PLACES, PLACES),
)


def edit(root, kind, place, other):
    """Change the tree where the change is possible."""
    where = root / place
    try:
        if kind == "write":
            where.mkdir(parents=True, exist_ok=True)
            (where / other).write_text("x.py\nb/\n" if other == ".gitignore" else "1")
        elif kind == "remove":
            shutil.rmtree(where)
        elif kind == "move":
            where.rename(root / other)
        else:
            where.with_name("link.py").symlink_to(root / other / "x.py")
    except OSError:
        pass


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.lists(EDITS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_any_edits_are_seen_as_by_somebody_who_remembers_nothing(steps):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "SETTLED_NS", -HOUR_NS)
        root = Path(name).resolve() / "project"
        root.mkdir()
        walker = Walker(Scope(root))
        for edits in steps:
            for each in edits:
                edit(root, *each)
            assert walker.walk() == Walker(Scope(root)).walk()
            next_tick(root)
