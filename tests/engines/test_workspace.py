"""The gate for repository locations: what it lets through, how it clones, what it keeps inside."""

import asyncio
import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.engines.cloning import clone
from contexten.engines.facts import describe
from contexten.engines.locations import name_of, validate_location
from contexten.engines.workspace import inside, read_text
from contexten.errors import EngineError, UsageError
from shop_project import commit_all, git, make_project

pytestmark = pytest.mark.anyio

ADDRESSES = [
    "https://github.com/encode/starlette",
    "https://github.com/encode/starlette.git",
    "https://git.example:8443/team/a-b_c.git",
    "https://10.0.0.7/team/thing.git",
    "https://[fd00::7]/team/thing",
    "ssh://git@git.example:2222/~ann/thing.git",
    "ssh://git.example/thing",
    "git@github.com:encode/starlette.git",
    "ann@host:thing",
    "file:///srv/git/thing.git",
]
REFUSED = [
    "", "   ", "relative/folder", "./here", "~", "~/src", "C:\\code", "/no/such/folder", "/etc/passwd",
    "http://github.com/a/b", "git://github.com/a/b", "ftp://host/a", "HTTPS://host/a/b",
    "ext::sh -c 'touch /tmp/x'", "ext::sh", "fd::17", "https::https://host/a", "remote-helper::x",
    "--upload-pack=touch /tmp/x", "-oProxyCommand=x", "--", "-u",
    "ssh://-oProxyCommand=touch/x", "ssh://git@-oProxyCommand=x/a", "git@-host:a", "-git@host:a", "git@host:-a",
    "git@host::a", "git@host:", "https://", "https:///a/b", "https://host", "https://host/", "https://host/-x",
    "https://user@host/a", "https://user:pass@host/a", "ssh://git:pass@host/a", "https://token@github.com/a/b",
    "https://host/a?x=1", "https://host/a#b", "https://host:port/a", "https://ho st/a", "https://host/a b",
    "https://host/a\nb", "https://host/a\x00", "git@host:a\nb", "https://host\\@evil/a", "https://host%00/a",
    "file://host/srv/git", "file://../x", "file:relative", "https://host/$(id)", "https://host/a;id", "https://host/`id`",
    "git@host:a b", "git@host:$(id)", "javascript:alert(1)", "data:,x", "\N{FULLWIDTH LATIN SMALL LETTER H}ttps://host/a",
]  # fmt: skip


@pytest.mark.parametrize("text", ADDRESSES)
def test_git_addresses_pass_unchanged(text):
    assert validate_location(f"  {text} ") == text


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused(text):
    with pytest.raises(UsageError):
        validate_location(text)


def test_a_folder_is_resolved(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert validate_location(str(tmp_path / "link")) == (tmp_path / "real").resolve()
    for name in ("missing", "re\nal", "re\x00al"):
        with pytest.raises(UsageError):
            validate_location(str(tmp_path / name))


@pytest.mark.parametrize(
    "text", ["https://ann:swordfish@host/a", "https://swordfish@host/a b", "ssh://ann:swordfish@-x/a"]
)
def test_credentials_are_never_repeated(text):
    with pytest.raises(UsageError) as raised:
        validate_location(text)
    assert "swordfish" not in str(raised.value)


@given(st.text(max_size=60) | st.from_regex(r"(https|ssh|ext|file|git)(://|::)[ -~]{0,40}", fullmatch=True))
def test_what_passes_can_be_no_option_and_no_helper(text):
    try:
        location = validate_location(text)
    except UsageError:
        return
    if isinstance(location, str):
        assert not location.startswith("-")
        assert location.isprintable()
        assert not set(location) & set(" \t\n\r\\;$`'\"<>|&?#")
        assert location.startswith(("https://", "ssh://", "file:///")) or "@" in location.partition(":")[0]


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://h/a/shop.git", "shop"), ("git@h:shop", "shop"), ("https://h/a/b/", "b"), ("https://h/..", "repository")],
)
def test_names_come_from_the_address(url, name):
    assert name_of(url) == name


async def test_a_clone_is_whole_named_and_plain(tmp_path):
    origin = make_project(tmp_path / "origin" / "shop", {"a.py": "x = 1\n"})
    commit_all(origin, "First")
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (hooks / "post-checkout").chmod(0o755)
    os.environ["GIT_TEMPLATE_DIR"] = str(tmp_path / "template")
    try:
        first = await clone(f"file://{origin}", tmp_path / "repos")
        second = await clone(f"file://{origin}", tmp_path / "repos")
    finally:
        del os.environ["GIT_TEMPLATE_DIR"]
    assert (first.name, second.name) == ("shop", "shop-2")
    assert (first / "a.py").read_text() == "x = 1\n"
    assert git(first, "log", "--format=%s") == "First\n"
    assert not (tmp_path / "ran").exists()
    assert sorted(path.name for path in (tmp_path / "repos").iterdir()) == ["shop", "shop-2"]


async def test_a_clone_that_fails_says_why_and_leaves_nothing(tmp_path):
    with pytest.raises(EngineError, match="git clone failed: "):
        await clone(f"file://{tmp_path}/nowhere.git", tmp_path / "repos")
    assert list((tmp_path / "repos").iterdir()) == []


async def test_a_folder_is_not_cloned(tmp_path):
    with pytest.raises(UsageError, match="not cloned"):
        await clone(str(tmp_path), tmp_path / "repos")


@pytest.fixture
def slow_git(tmp_path, monkeypatch):
    """A git that starts a child and waits; the file tells the child's process id."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/child\nwait\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path / "child"


async def test_a_clone_that_takes_too_long_is_stopped_with_its_children(tmp_path, slow_git):
    with pytest.raises(EngineError, match="longer than 1 s"):
        await clone("https://host.invalid/a/shop.git", tmp_path / "repos", seconds=1)
    assert_gone(slow_git)
    assert list((tmp_path / "repos").iterdir()) == []


async def test_a_cancelled_clone_is_stopped_with_its_children(tmp_path, slow_git):
    cloning = asyncio.create_task(clone("https://host.invalid/a/shop.git", tmp_path / "repos"))
    await asyncio.to_thread(wait_for_text, slow_git)
    cloning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cloning
    assert_gone(slow_git)
    assert list((tmp_path / "repos").iterdir()) == []


async def test_without_git_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="git is not installed"):
        await clone("https://host.invalid/a/shop.git", tmp_path / "repos")


def test_a_repository_at_a_glance(tmp_path):
    project = make_project(
        tmp_path / "shop",
        {"a.py": "", "b.py": "", "c.js": "", "README.md": "", "node_modules/x.js": "", ".venv/y.py": ""},
    )
    facts = describe(project)
    assert (facts.name, facts.branch, facts.language) == ("shop", None, "Python")
    commit_all(project, "First")
    git(project, "checkout", "--quiet", "-b", "feature/x")
    assert describe(project).branch == "feature/x"
    git(project, "checkout", "--quiet", "--detach")
    assert describe(project).branch is None
    git(project, "worktree", "add", "--quiet", "-b", "beside", str(tmp_path / "beside"))
    assert describe(tmp_path / "beside").branch == "beside"


def test_nothing_leads_out_of_a_workspace(tmp_path):
    project = make_project(tmp_path / "shop", {"a.py": "x = 1\n"})
    (tmp_path / "secret").write_text("swordfish")
    (project / "link").symlink_to(tmp_path / "secret")
    (project / "folder").symlink_to(tmp_path)
    assert read_text(project, "a.py") == "x = 1\n"
    assert read_text(project, "a.py", limit=1) == "x"
    for path in ("../secret", "link", "folder/secret", str(tmp_path / "secret"), "missing", "a\x00b"):
        assert read_text(project, path) is None
    with pytest.raises(EngineError, match="leads out of the repository"):
        inside(project, "link")


def wait_for_text(path: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (path.exists() and path.read_text().strip()):
        time.sleep(0.02)


def assert_gone(pid_file: Path) -> None:
    """The process is dead, or at most not yet reaped by whoever inherited it."""
    process = Path("/proc") / pid_file.read_text().strip()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
    pytest.fail(f"process {process.name} still runs")
