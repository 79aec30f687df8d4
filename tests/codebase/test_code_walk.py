"""Which files belong to a folder, and folders that are hard to read."""

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.codebase import Codebase


def paths(codebase):
    return [each.path for each in codebase.files]


def test_gitignore_files_apply_below_them_and_later_patterns_win(project):
    codebase = project(
        {
            ".gitignore": "build/\n*.gen.py\n!keep.gen.py\n",
            "a.py": "",
            "x.gen.py": "",
            "keep.gen.py": "",
            "build/b.py": "",
            "sub/.gitignore": "/local.py\n!y.gen.py\n",
            "sub/local.py": "",
            "sub/y.gen.py": "",
            "sub/deep/local.py": "",
        }
    )
    assert paths(codebase) == ["a.py", "keep.gen.py", "sub/deep/local.py", "sub/y.gen.py"]


def test_the_same_files_as_git(project, root):
    files = {
        ".gitignore": "/dist\n*.tmp.py\ndoc/**/x.py\n\\#odd.py\nlogs/*\n!logs/keep.py\n",
        "dist/a.py": "",
        "sub/dist/a.py": "",
        "a.tmp.py": "",
        "doc/1/2/x.py": "",
        "doc/y.py": "",
        "#odd.py": "",
        "logs/a.py": "",
        "logs/keep.py": "",
    }
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "exclude").write_text("private.py\n")
    config = (root / ".git" / "config").read_bytes()
    codebase = project({**files, "private.py": ""})
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "--others", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert paths(codebase) == sorted(listed.stdout.split())
    assert (root / ".git" / "config").read_bytes() == config


TREE = [
    f"{folder}{name}"
    for folder in ("", "a/", "a/build/", "a/build/x/", "b/", "b/a/", "b/a/c/", "build/")
    for name in ("one.py", "two.py", "keep.py")
]
PATTERNS = [
    "build/", "build", "/build", "!build/", "*.py", "!keep.py", "/one.py", "a/*.py", "a/**", "!a/build/", "**/c/", "b/a",
    "!/b/a/keep.py", "*", "!*/", "/*", "!/a", "[!k]*.py", "tw?.py", "# one.py", "\\!keep.py", "one.py ", "a/**/x", "**/two.py",
    "a/*", "/*/*", "*/x/", "!a/build/one.py", "*/", "b**", "a/b*d", "!/b/*", "[a-c]/", "[!]b]", "[]b]", "a\\*", "b/[/]a",
]  # fmt: skip
IGNORE = st.lists(st.sampled_from(PATTERNS), max_size=4)


@settings(max_examples=40, deadline=None)
@given(top=IGNORE, inner=IGNORE, deep=IGNORE)
def test_any_patterns_mean_what_they_mean_to_git(top, inner, deep):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path in TREE:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        for folder, patterns in (("", top), ("a", inner), ("b/a", deep)):
            (root / folder / ".gitignore").write_text("\n".join(patterns) + "\n")
        subprocess.run(["git", "init", "-q", root], check=True)
        command = ["git", "-C", root, "ls-files", "--others", "--exclude-standard", "*.py"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        assert paths(Codebase.from_path(root, cache=None)) == sorted(listed)


def test_include_and_exclude_narrow_the_files(project, root):
    project({"a.py": "", "b.ts": "", "sub/c.py": "", "sub/d.py": ""})
    assert paths(Codebase.from_path(root, include=["*.py"], exclude=["sub/d.py"], cache=None)) == ["a.py", "sub/c.py"]


def test_environments_and_caches_are_left_out(project):
    assert paths(project({"a.py": "", ".venv/x.py": "", "node_modules/m/i.js": "", "p/__pycache__/c.py": ""})) == [
        "a.py"
    ]


def test_nothing_is_written_into_the_folder(project, root):
    codebase = project({"a.py": "def f(): ...\n"})
    before = sorted(root.rglob("*"))
    codebase.refresh()
    codebase.relevant_context("f")
    assert sorted(root.rglob("*")) == before


def test_links_that_lead_in_circles_or_out_are_not_followed(project, root, tmp_path):
    (tmp_path / "secret.py").write_text("password = 1\n")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "out.py").symlink_to(tmp_path / "secret.py")
    (root / "dangling.py").symlink_to(root / "nothing.py")
    codebase = project({"a.py": "x = 1\n"})
    (root / "inside.py").symlink_to(root / "a.py")
    codebase.refresh()
    assert paths(codebase) == ["a.py", "inside.py"]
    assert [each.path for each in codebase.problems] == ["dangling.py"]


def test_hidden_names_are_left_out_with_and_without_git_and_by_any_link(project, root):
    files = {"a.py": "", ".ssh/key.py": "", ".local/lib/b.py": "", ".secret.py": "", ".github/scripts/c.py": ""}
    (root / "link.py").symlink_to(root / ".ssh" / "key.py")
    (root / "itself.py").symlink_to("itself.py")
    codebase = project(files)
    assert paths(codebase) == [".github/scripts/c.py", "a.py"]
    subprocess.run(["git", "init", "-q", root], check=True)
    codebase.refresh()
    assert paths(codebase) == [".github/scripts/c.py", "a.py"]


def test_no_link_leads_to_what_is_excluded(project, root):
    (root / "link.py").symlink_to(root / "closed" / "b.py")
    project({"a.py": "", "closed/b.py": ""})
    assert paths(Codebase.from_path(root, exclude=["/closed/"], cache=None)) == ["a.py"]


def test_folders_that_may_not_be_read_are_reported(somebody):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for path in ("a.py", "closed/b.py", "c.py"):
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text("x = 1\n")
        (root / "closed").chmod(0)
        (root / "c.py").chmod(0)
        with somebody():
            codebase = Codebase.from_path(root, cache=None)
        assert paths(codebase) == ["a.py"]
        assert [(each.path, each.message) for each in codebase.problems] == [
            ("c.py", "Permission denied"),
            ("closed", "Permission denied"),
        ]
        (root / "closed").chmod(0o700)


def test_pipes_and_odd_names_are_no_files(project, root):
    os.mkfifo(root / "pipe.py")
    (root / os.fsdecode(b"\xff.py")).write_text("x = 1\n")
    codebase = project({"a.py": "", "with space.py": "y = 1\n"})
    assert paths(codebase) == ["a.py", "with space.py"]
    assert len(codebase.problems) == 1
