"""The gate for repository locations: what it lets through, how it clones, what it keeps inside."""

import asyncio
import os
import shutil
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.engines.cloning import clone
from contexten.engines.facts import describe
from contexten.engines.locations import name_of, validate_location
from contexten.engines.workspace import close, closed_in, inside, read_text
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
        again = await clone(f"file://{origin}", tmp_path / "repos")
        theirs = await clone(f"file://{origin}", tmp_path / "repos", whose=2)
    finally:
        del os.environ["GIT_TEMPLATE_DIR"]
    assert again == first != theirs
    assert first.name.startswith("shop-")
    assert (first / "a.py").read_text() == "x = 1\n"
    assert git(first, "log", "--format=%s") == "First\n"
    assert not (tmp_path / "ran").exists()
    assert sorted(path.name for path in (tmp_path / "repos").iterdir()) == sorted([first.name, theirs.name])


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
    for seconds in (1, 8, 64):  # a busy machine needs longer to begin
        with pytest.raises(EngineError, match=f"longer than {seconds} s"):
            await clone("https://host.invalid/a/shop.git", tmp_path / "repos", seconds=seconds)
        if slow_git.exists() and slow_git.read_text().strip():
            break
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


def test_a_link_to_itself_and_a_name_that_is_none_are_not_read(tmp_path):
    (tmp_path / "a.txt").symlink_to("a.txt")
    for path in ("a.txt", "a.txt/b", "a\x00b", "a" * 5000):
        assert read_text(tmp_path, path) is None
    with pytest.raises(EngineError, match="not a path that can be read"):
        inside(tmp_path, "a.txt")
    with pytest.raises(EngineError, match="not a path that can be read"):
        inside(tmp_path / "a.txt", "b")


def test_hidden_files_are_not_read_by_any_way(tmp_path):
    files = {".env": "x", ".ssh/id_rsa": "x", "a/.netrc": "x", ".github/workflows/ci.yml": "x", ".gitlab-ci.yml": "x"}
    project = make_project(tmp_path / ".projects" / "shop", files)
    (project / "key.txt").symlink_to(project / ".ssh" / "id_rsa")
    read = {path for path in [*files, "key.txt", "a/../.env"] if read_text(project, path)}
    assert read == {".github/workflows/ci.yml", ".gitlab-ci.yml"}
    with pytest.raises(EngineError, match="hidden"):
        inside(project, "key.txt")


@pytest.fixture
def home(tmp_path):
    """A folder that holds a project and a server's closed data folder, with a cloned repository in that."""
    home = make_project(
        tmp_path / "home",
        {
            "shop/a.txt": "ctx_shop",
            "we[i]rd *data#/credentials.json": "ctx_secret",
            "we[i]rd *data#/repos/theirs/secret.py": 'ctx_theirs = "ctx_theirs"\n',
            "we[i]rd *data#/repos/theirs/b.txt": "ctx_b",
        },
    )
    data = home / "we[i]rd *data#"
    for name, target in {
        "link.txt": data / "credentials.json",
        "link.py": data / "repos" / "theirs" / "secret.py",
    }.items():
        (home / "shop" / name).symlink_to(target)
    close(data)
    return home


@pytest.mark.parametrize("with_git", [False, True])
async def test_a_closed_folder_is_left_out_wherever_it_lies(home, ask, with_git):
    if with_git:
        commit_all(home, "All")
    outcome = await ask('Find "ctx_"', workspace=home)
    assert "shop/a.txt" in outcome.result
    for told in ("credentials.json", "ctx_secret", "secret.py", "ctx_theirs", "link", "b.txt"):
        assert told not in outcome.result
    assert closed_in(home) == ["we[i]rd *data#"]
    for path in ("shop/link.txt", "we[i]rd *data#/credentials.json", "shop/../we[i]rd *data#/credentials.json"):
        assert read_text(home, path) is None


async def test_a_closed_folder_is_no_repository_but_a_clone_in_it_is(home, ask, tmp_path):
    data = home / "we[i]rd *data#"
    (tmp_path / "way").symlink_to(data)
    places = [data, data / "repos", data / "repos" / "theirs", tmp_path / "way", tmp_path / "way" / "repos"]
    for place in places:
        for location in (str(place), f"file://{place}"):
            with pytest.raises(UsageError):
                validate_location(location)
        if place.name != "theirs":
            with pytest.raises(EngineError, match="belongs to the server itself"):
                await ask("Give me an overview.", workspace=place)
    outcome = await ask('Find "ctx_"', workspace=data / "repos" / "theirs")
    assert "secret.py:1" in outcome.result
    assert "b.txt" in outcome.result


def test_a_closed_folder_is_refused_with_its_reason(tmp_path):
    close(tmp_path / "data")
    (tmp_path / "data" / "repos" / "shop").mkdir(parents=True)
    for location in (f"{tmp_path}/data", f"{tmp_path}/data/repos/shop", f"file://{tmp_path}/data/repos/shop"):
        with pytest.raises(UsageError, match="belongs to the server itself"):
            validate_location(location)
    (tmp_path / "way").symlink_to(tmp_path / "data")
    with pytest.raises(UsageError, match="belongs to the server itself"):
        validate_location(f"file://{tmp_path}/%77ay/repos/shop")


async def test_a_clone_that_is_cancelled_at_any_moment_leaves_nothing(tmp_path):
    origin = make_project(tmp_path / "origin", {f"{number}.txt": "x" * 10_000 for number in range(50)})
    commit_all(origin, "First")
    started = time.perf_counter()
    shutil.rmtree(await clone(f"file://{origin}", tmp_path / "repos"))
    took = time.perf_counter() - started
    cancelled = finished = 0
    while cancelled < 20:
        cloning = asyncio.create_task(clone(f"file://{origin}", tmp_path / "repos"))
        await asyncio.wait([cloning], timeout=took * cancelled / 20)
        for _ in range(1 + cancelled % 2):
            cloning.cancel()
            await asyncio.sleep(0)
        try:
            shutil.rmtree(await cloning)
            finished += 1
            took *= 0.8  # this machine has become faster than it was at the first clone
        except asyncio.CancelledError:
            cancelled += 1
        assert list((tmp_path / "repos").iterdir()) == []
        assert finished < 60


def wait_for_text(path: Path) -> None:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline and not (path.exists() and path.read_text().strip()):
        time.sleep(0.02)


def assert_gone(pid_file: Path) -> None:
    """The process is dead, or at most not yet reaped by whoever inherited it."""
    process = Path("/proc") / pid_file.read_text().strip()
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            if (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
    pytest.fail(f"process {process.name} still runs")
