"""What a run changed: figures for each file, and a patch that brings the same change about elsewhere, byte for byte."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.engines import changes as limits
from contexten.engines.applying import apply_patch, begin_branch
from contexten.engines.baseline import Baseline
from contexten.engines.changes import changes_since
from contexten.errors import EngineError, UsageError
from shop_project import commit_all, git, make_project

pytestmark = pytest.mark.once
FILES = {"a.py": "one\ntwo\n", "shop/b.py": "".join(f"x{n} = {n}\n" for n in range(30)), ".gitignore": "*.log\n"}


class Copy:
    """A folder and the record of how it began."""

    def __init__(self, place):
        self.root = place / "work"
        self.before = place / "before"
        self.root.mkdir(parents=True)

    def begin(self):
        shutil.copytree(self.root, self.before, symlinks=True)
        self.baseline = Baseline.create(self.root.parent / "base.git", self.root)
        self.baseline.record(self.baseline.others())
        self.tree = self.baseline.tree()
        return self

    def changes(self):
        return changes_since(self.baseline, self.tree)


@pytest.fixture
def copy(tmp_path):
    copy = Copy(tmp_path)
    make_project(copy.root, FILES)
    return copy.begin()


def state(root):
    return {
        path.relative_to(root).as_posix(): str(path.readlink())
        if path.is_symlink()
        else (path.read_bytes(), _mode(path))
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def _mode(path):
    return bool(path.stat().st_mode & 0o100)


def test_it_says_what_happened_to_each_file(copy):
    (copy.root / "a.py").write_text("one\nTWO\nthree\n")
    (copy.root / "shop" / "b.py").rename(copy.root / "shop" / "c.py")
    (copy.root / ".gitignore").unlink()
    make_project(copy.root, {"new/d.py": "d\n", "x.log": "ignored no more\n"})
    (copy.root / "picture").write_bytes(b"\0\1\2")
    found = copy.changes()
    assert [(f.path, f.status, f.insertions, f.deletions, f.binary, f.previous) for f in found.files] == [
        (".gitignore", "deleted", 0, 1, False, None),
        ("a.py", "modified", 2, 1, False, None),
        ("new/d.py", "added", 1, 0, False, None),
        ("picture", "added", 0, 0, True, None),
        ("shop/c.py", "renamed", 0, 0, False, "shop/b.py"),
        ("x.log", "added", 1, 0, False, None),
    ]
    assert (found.insertions, found.deletions, found.truncated) == (4, 2, False)
    assert copy.changes() == found


def test_what_is_ignored_is_no_change_and_nothing_is_none(copy):
    make_project(copy.root, {"x.log": "", "shop/y.log": ""})
    found = copy.changes()
    assert not found
    assert (found.patch, found.files) == ("", ())


CONTENT = st.one_of(
    st.lists(
        st.sampled_from([b"a", b"b", b"-- x", b"diff --git a/a b/a", b"\xff\xfe", "é".encode(), b""]), max_size=6
    ).map(b"\n".join),
    st.lists(st.sampled_from([b"one\r\n", b"two\n", b"three\r", b"$Id$\n"]), max_size=6).map(b"".join),
    st.binary(max_size=40),
)
NAME = st.sampled_from(
    ["a", "b.py", "deep/c", "deep/d e", 'quo"te', "tab\there", "new\nline", "é[1]*?", "!x", "#y", "\udcff"]
)
TREE = st.dictionaries(NAME, st.tuples(CONTENT, st.booleans()), max_size=6)


def fill(root, tree):
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, (content, executable) in tree.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if executable else 0o644)


@settings(max_examples=15, deadline=None)
@given(before=TREE, after=TREE)
def test_the_patch_makes_the_one_state_out_of_the_other(before, after):
    with TemporaryDirectory() as place:
        copy = Copy(Path(place))
        fill(copy.root, before)
        (copy.root / ".gitattributes").write_text("* text=auto eol=crlf ident\n*.py -diff filter=none\n")
        copy.begin()
        fill(copy.root, after)
        (copy.root / ".gitattributes").write_text("* -diff\n")
        found = copy.changes()
        found.patch.encode()
        if found:
            apply_patch(found.patch, copy.before, [file.path for file in found.files])
        assert state(copy.before) == state(copy.root)


def test_links_modes_and_changes_of_kind_survive(copy):
    (copy.root / "a.py").unlink()
    (copy.root / "a.py").symlink_to("shop/b.py")
    (copy.root / "shop" / "b.py").chmod(0o755)
    (copy.root / ".gitignore").unlink()
    make_project(copy.root, {".gitignore/now/a/folder": "x\n"})
    found = copy.changes()
    apply_patch(found.patch, copy.before, [file.path for file in found.files])
    assert state(copy.before) == state(copy.root)


def test_git_itself_takes_the_patch(copy):
    git(copy.before, "init", "--quiet")
    commit_all(copy.before, "first")
    make_project(copy.root, {"a.py": "caf\u00e9\n", "shop/n.py": "new\n"})
    (copy.root / "latin").write_bytes("café\n".encode("latin-1"))
    patch = copy.changes().patch.encode()
    subprocess.run(["git", "-C", copy.before, "apply", "--index"], input=patch, check=True)
    assert (copy.before / "latin").read_bytes() == b"caf\xe9\n"


def test_what_is_too_large_is_named_and_the_rest_stays_a_patch(copy, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 5_000)
    monkeypatch.setattr(limits, "MAX_PATCH_BYTES", 3_000)
    make_project(copy.root, {"a.py": "short\n", "big.txt": "y\n" * 3000, "long.txt": "z\n" * 1000, "z.py": "last\n"})
    found = copy.changes()
    assert found.truncated
    assert [file.path for file in found.files if file.omitted] == ["big.txt", "long.txt"]
    assert found.insertions == 1002
    apply_patch(found.patch, copy.before, ["a.py", "z.py"])
    assert (copy.before / "z.py").read_text() == "last\n"
    assert not (copy.before / "long.txt").exists()


def test_more_files_than_are_looked_into_are_named(copy, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FILES", 2)
    make_project(copy.root, {f"n{number}.py": "n\n" for number in range(4)})
    found = copy.changes()
    assert [file.omitted for file in found.files] == [False, False, True, True]
    assert found.truncated


def test_several_may_ask_at_a_time(copy):
    make_project(copy.root, {"a.py": "x\n", "latin": "x\n"})
    (copy.root / "latin").write_bytes(b"\xe9\n")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: copy.changes(), range(8)))
    assert {each.patch for each in found} == {found[0].patch}


def test_a_conflict_names_the_files_and_changes_nothing(copy):
    make_project(copy.root, {"a.py": "mine\n", "shop/b.py": "mine\n", "new.py": "mine\n"})
    found = copy.changes()
    make_project(copy.before, {"a.py": "theirs\n", "new.py": "theirs\n"})
    before = state(copy.before)
    with pytest.raises(EngineError) as raised:
        apply_patch(found.patch, copy.before, [file.path for file in found.files])
    assert str(raised.value) == (
        f"The patch does not apply to {copy.before}: a.py (it is not as it was), "
        "new.py (already exists in working directory). Nothing was changed."
    )
    assert state(copy.before) == before


def test_a_second_time_it_says_so(copy):
    make_project(copy.root, {"a.py": "mine\n"})
    found = copy.changes()
    apply_patch(found.patch, copy.before, ["a.py"], check=True)
    assert (copy.before / "a.py").read_text() == FILES["a.py"]
    apply_patch(found.patch, copy.before, ["a.py"])
    with pytest.raises(EngineError, match="has these changes already; nothing was changed"):
        apply_patch(found.patch, copy.before, ["a.py"])


@pytest.mark.parametrize("path", ["../out.py", ".git/hooks/pre-commit", "link/out.py", "/tmp/out.py"])
def test_a_patch_leads_nowhere_else(copy, path):
    git(copy.before, "init", "--quiet")
    (copy.before / "link").symlink_to(copy.before.parent)
    patch = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
    with pytest.raises(EngineError, match="Nothing was changed"):
        apply_patch(patch, copy.before, [path])
    assert not (copy.before.parent / "out.py").exists()
    assert not (copy.before / ".git" / "hooks" / "pre-commit").exists()


def test_a_branch_keeps_what_is_not_committed(copy):
    with pytest.raises(UsageError, match="is not a git repository"):
        begin_branch(copy.before, "contexten/run-1")
    git(copy.before, "init", "--quiet", "--initial-branch=main")
    commit_all(copy.before, "first")
    make_project(copy.before, {"a.py": "mine\n"})
    begin_branch(copy.before, "contexten/run-1")
    assert git(copy.before, "status", "--short", "--branch").split("\n") == ["## contexten/run-1", " M a.py", ""]
    with pytest.raises(EngineError, match="already exists"):
        begin_branch(copy.before, "contexten/run-1")
