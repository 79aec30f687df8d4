"""A run's own copy: what is in it, that the person's repository stays as it was, and that nothing in a repository runs."""

import asyncio
import os
import stat

import pytest

from contexten.engines.applying import apply_patch
from contexten.engines.base import Earlier, Kept
from contexten.engines.checkout import discard_checkout, find_checkout, note_kept, open_checkout
from contexten.engines.workspace import close, inside, is_closed
from contexten.errors import EngineError
from shop_project import Journal, commit_all, git, make_project, task

pytestmark = pytest.mark.anyio
FILES = {"a.py": "one\ntwo\n", "shop/b.py": "x = 1\n", ".gitignore": "ignored/\n*.log\n"}


@pytest.fixture
def home(tmp_path):
    return tmp_path / "data" / "checkouts"


@pytest.fixture
def repo(tmp_path):
    folder = make_project(tmp_path / "repo", FILES)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder, "first")
    return folder


def names(root):
    found = (path.relative_to(root) for path in root.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".git")


def everything(folder):
    """Every file of a folder, its database included, with its content and its time."""
    return {
        path: (path.read_bytes() if path.is_file() else None, path.lstat().st_mtime_ns) for path in folder.rglob("*")
    }


async def test_it_has_what_is_on_disk_on_a_branch_of_its_own(repo, home):
    (repo / "a.py").write_text("one\nTWO\n")
    (repo / "shop" / "b.py").unlink()
    make_project(
        repo,
        {
            "new.py": "",
            "node_modules/x.js": "",
            "ignored/c.py": "",
            "x.log": "",
            ".env": "SECRET=1",
            ".venv/lib.py": "",
        },
    )
    (repo / "a.py").chmod(0o755)
    before = everything(repo)
    checkout = await open_checkout(task(repo, "go"), home)
    assert names(checkout.root) == [".gitignore", "a.py", "new.py"]
    assert (checkout.root / "a.py").read_text() == "one\nTWO\n"
    assert (checkout.root / "a.py").stat().st_mode & stat.S_IXUSR
    assert checkout.branch == "contexten/run-1"
    assert git(checkout.root, "branch", "--show-current").strip() == "contexten/run-1"
    assert git(checkout.root, "log", "--format=%s").split() == ["first"]
    assert git(checkout.root, "status", "--short").split("\n") == [" M a.py", " D shop/b.py", "?? new.py", ""]
    assert not checkout.changes()
    assert everything(repo) == before
    assert git(repo, "branch", "--format=%(refname:short)").split() == ["main"]


async def test_later_turns_and_attempts_find_it_as_it_was_left(repo, home):
    first = await open_checkout(task(repo, "go"), home)
    (first.root / "a.py").write_text("changed\n")
    (repo / "a.py").write_text("something else\n")
    again = await open_checkout(task(repo, "go on", turn=2), home)
    assert again == first
    assert (again.root / "a.py").read_text() == "changed\n"
    assert [file.path for file in again.changes().files] == ["a.py"]
    other = await open_checkout(task(repo, "another", run_id=2), home)
    assert (other.root / "a.py").read_text() == "something else\n"


async def test_a_copy_that_a_crash_left_half_made_is_made_again(repo, home):
    half = home / "1" / ".partial-1" / "work"
    make_project(half, {"half.py": ""})
    checkout = await open_checkout(task(repo, "go"), home)
    assert "half.py" not in names(checkout.root)
    assert not half.exists()


async def test_a_power_cut_costs_the_copy_and_not_the_run(repo, home):
    checkout = await open_checkout(task(repo, "go"), home)
    (checkout.root / "a.py").unlink()
    (checkout.root.parent / "state.json").write_text("")
    again = await open_checkout(task(repo, "go"), home)
    assert (again.root / "a.py").read_text() == FILES["a.py"]


async def test_a_killed_git_does_not_lock_the_record(repo, home):
    checkout = await open_checkout(task(repo, "go"), home)
    (checkout.root.parent / "base.git" / "index.lock").touch()
    (checkout.root / "a.py").unlink()
    assert [file.status for file in checkout.changes().files] == ["deleted"]


async def test_a_folder_without_git_is_copied_without_what_programs_make(tmp_path, home):
    plain = make_project(tmp_path / "plain", FILES | {
        "node_modules/x.js": "", "ignored/y": "", ".ssh/id_rsa": "KEY", ".github/ci.yml": "", "build/z.py": "",
    })  # fmt: skip
    checkout = await open_checkout(task(plain, "go"), home)
    assert names(checkout.root) == [".github/ci.yml", ".gitignore", "a.py", "build/z.py", "shop/b.py"]
    assert checkout.branch == ""
    assert not (checkout.root / ".git").exists()
    (checkout.root / "a.py").write_text("one\n")
    assert checkout.changes().deletions == 1
    assert sorted(path.name for path in plain.iterdir()) == [
        ".github", ".gitignore", ".ssh", "a.py", "build", "ignored", "node_modules", "shop",
    ]  # fmt: skip


async def test_what_tests_leave_behind_is_no_change_unless_it_is_tracked(repo, home):
    make_project(repo, {"node_modules/kept.js": "1\n"})
    commit_all(repo, "kept")
    checkout = await open_checkout(task(repo, "go"), home)
    make_project(
        checkout.root, {"__pycache__/a.pyc": "", ".pytest_cache/x": "", "node_modules/new.js": "", ".coverage": ""}
    )
    assert not checkout.changes()
    (checkout.root / "node_modules" / "kept.js").write_text("2\n")
    assert [file.path for file in checkout.changes().files] == ["node_modules/kept.js"]


async def test_a_repository_without_a_commit_has_a_branch_too(tmp_path, home):
    repo = make_project(tmp_path / "young", {"a.py": "one\n"})
    git(repo, "init", "--quiet")
    checkout = await open_checkout(task(repo, "go"), home)
    assert (names(checkout.root), checkout.branch) == (["a.py"], "contexten/run-1")
    assert not checkout.changes()


async def test_repositories_inside_and_submodules_stay_out(repo, home):
    inner = make_project(repo / "inner", {"i.py": ""})
    git(inner, "init", "--quiet")
    commit_all(inner, "inner")
    git(repo, "add", "inner")  # a gitlink, as a submodule has
    checkout = await open_checkout(task(repo, "go"), home)
    assert "inner/i.py" not in names(checkout.root)
    assert not checkout.changes()


async def test_links_stay_links_and_lead_nowhere_for_the_tools(repo, home, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.py").write_text("KEY")
    (repo / "out").symlink_to(tmp_path / "secret" / "key.py")
    (repo / "shop" / "b.py").unlink()
    (repo / "shop").rmdir()
    (repo / "shop").symlink_to(tmp_path / "secret")  # git still has shop/b.py
    (tmp_path / "secret" / "b.py").write_text("not yours")
    os.mkfifo(repo / "pipe")
    checkout = await open_checkout(task(repo, "go"), home)
    assert names(checkout.root) == [".gitignore", "a.py", "out", "shop"]
    assert (checkout.root / "out").is_symlink()
    assert (checkout.root / "shop").is_symlink()
    with pytest.raises(EngineError, match="leads out of the repository"):
        inside(checkout.root, "out")


async def test_nothing_that_a_repository_brings_along_is_run(repo, home, tmp_path):
    """Hooks, filters, the file system monitor, programs in its configuration: each would leave a trace."""
    trace = tmp_path / "trace"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\necho ran >> {trace}\ncat\n")
    evil.chmod(0o755)
    for hook in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        (repo / ".git" / "hooks" / hook).parent.mkdir(exist_ok=True)
        (repo / ".git" / "hooks" / hook).symlink_to(evil)
    (repo / ".gitattributes").write_text("*.py filter=evil diff=evil merge=evil text eol=crlf ident\n")
    config = f"""
[core]
    fsmonitor = {evil}
    alternateRefsCommand = {evil}
    pager = {evil}
    sshCommand = {evil}
[filter "evil"]
    clean = {evil}
    smudge = {evil}
    process = {evil}
    required = true
[diff "evil"]
    command = {evil}
    textconv = {evil}
[diff]
    external = {evil}
[uploadpack]
    packObjectsHook = {evil}
[remote "origin"]
    url = ext::{evil}
    promisor = true
    uploadpack = {evil}
[include]
    path = {tmp_path / "more"}
"""
    (tmp_path / "more").write_text(f"[core]\n\thooksPath = {tmp_path}\n[alias]\n\tls-files = !{evil}\n")
    with (repo / ".git" / "config").open("a") as file:
        file.write(config)
    checkout = await open_checkout(task(repo, "go"), home)
    assert not checkout.changes()
    (checkout.root / "a.py").write_text("$Id$\r\none\n")
    with (checkout.root / ".git" / "config").open("a") as file:  # what a command in the sandbox can do
        file.write(config)
    make_project(checkout.root, {"sub/x.py": ""})
    git(checkout.root / "sub", "init", "--quiet")
    with (checkout.root / "sub" / ".git" / "config").open("a") as file:
        file.write(config)
    changes = checkout.changes()
    assert [file.path for file in changes.files] == ["a.py"]
    assert "+$Id$\r\n" in changes.patch
    assert not trace.exists()


async def test_no_address_with_a_password_gets_into_it(repo, home):
    git(repo, "remote", "add", "origin", "https://me:hunter2@example.com/shop.git")
    checkout = await open_checkout(task(repo, "go"), home)
    kept = [path.read_bytes() for path in checkout.root.parent.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"hunter2" in content for content in kept)


async def test_the_servers_own_folder_in_a_repository_is_left_out(repo, monkeypatch):
    monkeypatch.setattr("contexten.engines.workspace._closed", set())
    make_project(repo, {"data/token": "secret"})
    close(repo / "data")
    checkout = await open_checkout(task(repo, "go"), repo / "data" / "checkouts")
    assert names(checkout.root) == [".gitignore", "a.py", "shop/b.py"]
    assert inside(checkout.root, "a.py").is_file()
    assert is_closed(checkout.root)  # nobody registers it as a repository
    with pytest.raises(EngineError, match="belongs to the server itself"):
        inside(checkout.root.parent.parent.parent.parent, "token")


async def test_one_run_is_not_let_into_the_copy_of_another(repo, home, monkeypatch):
    monkeypatch.setattr("contexten.engines.workspace._closed", set())
    close(home.parent)
    mine = await open_checkout(task(repo, "go"), home)
    other = await open_checkout(task(repo, "go", organization_id=2, run_id=2), home)
    (mine.root / "link").symlink_to(other.root / "a.py")
    for way in ("link", other.root / "a.py", "../../../2/2/work/a.py"):
        with pytest.raises(EngineError, match="leads out of the repository"):
            inside(mine.root, way)
    for folder in (home, home / "1", home / "1" / "1"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_run_begins_with_what_those_before_it_changed(repo, home):
    first = await open_checkout(task(repo, "go"), home)
    make_project(first.root, {"a.py": "one\ntwo\nthree\n", "new.py": "1\n"})
    (first.root / "shop" / "b.py").unlink()
    one = Earlier(1, first.changes())
    second = await open_checkout(task(repo, "go", run_id=2, builds_on=(one,)), home)
    assert not second.changes()
    make_project(second.root, {"a.py": "zero\none\ntwo\nthree\n", "new.py": "2\n"})
    both = (one, Earlier(2, second.changes()))
    third = await open_checkout(task(repo, "go", run_id=3, builds_on=both), home)
    assert names(third.root) == [".gitignore", "a.py", "new.py"]
    assert (third.root / "a.py").read_text() == "zero\none\ntwo\nthree\n"
    (third.root / "new.py").write_text("3\n")
    assert [(file.path, file.insertions, file.deletions) for file in third.changes().files] == [("new.py", 1, 1)]
    apply_patch(one.changes.patch, repo, one.changes.paths)  # as a person does before the next task begins
    fourth = await open_checkout(task(repo, "go", run_id=4, builds_on=both), home)
    assert (fourth.root / "a.py").read_text() == "zero\none\ntwo\nthree\n"
    (repo / "a.py").write_text("rewritten\n")
    with pytest.raises(
        EngineError, match=r"builds on run 1, whose changes do not fit any more\. .* a\.py \(it is not as"
    ):
        await open_checkout(task(repo, "go", run_id=5, builds_on=(one,)), home)
    assert find_checkout(home, 1, 5) is None


async def test_too_much_is_refused_and_leaves_nothing(repo, home, monkeypatch):
    with (repo / "huge.bin").open("wb") as file:
        file.truncate(3 * 1024**3)
    with pytest.raises(EngineError, match="too large to be copied for a run: more than 200000 files or 2 GB"):
        await open_checkout(task(repo, "go"), home)
    assert list((home / "1").iterdir()) == []


async def test_a_folder_that_cannot_be_written_is_said(repo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"could not be copied for the run: .*Not a directory"):
        await open_checkout(task(repo, "go"), tmp_path / "file" / "checkouts")


async def test_a_deleted_copy_is_gone_whatever_was_made_of_it(repo, home, tmp_path):
    checkout = await open_checkout(task(repo, "go"), home)
    kept = make_project(tmp_path / "kept", {"precious": "x"})
    closed = make_project(checkout.root / "closed", {"x": ""})
    (checkout.root / "link").symlink_to(kept)
    closed.chmod(0)
    discard_checkout(home, 1, 1)
    discard_checkout(home, 1, 1)
    assert find_checkout(home, 1, 1) is None
    assert list((home / "1").iterdir()) == []
    assert (kept / "precious").exists()


async def test_a_cancelled_copy_leaves_nothing(repo, home):
    for number in range(40):
        (repo / f"f{number}.py").write_text("x\n")
    work = asyncio.create_task(open_checkout(task(repo, "go"), home))
    while not home.exists():  # noqa: ASYNC110 - the copy is made on a thread, which sets no event
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert find_checkout(home, 1, 1) is None
    assert [path.name for path in (home / "1").iterdir()] == []


@pytest.fixture
def elsewhere(tmp_path):
    """The copies of another worker."""
    return tmp_path / "other" / "checkouts"


async def changed(checkout, turn, home, **files):
    """What a turn changed, kept at its end."""
    for name, text in files.items():
        (checkout.root / f"{name}.py").write_text(text)
    changes = checkout.changes()
    note_kept(home, 1, 1, turn)
    return Kept(turn, changes)


async def test_a_later_turn_on_another_worker_begins_with_what_the_run_has_changed(repo, home, elsewhere):
    first = await changed(await open_checkout(task(repo, "go"), home), 1, home, a="ours\n", new="1\n")
    journal = Journal()
    other = await open_checkout(task(repo, "go on", turn=2, kept=first), elsewhere, journal)
    assert (other.root / "a.py").read_text() == "ours\n"
    assert other.changes() == first.changes  # and it is the run's own part
    assert journal.written["copy-1"].observation.endswith("What earlier turns changed is in it.")
    second = await changed(other, 2, elsewhere, new="2\n")
    back = await open_checkout(task(repo, "and on", turn=3, kept=second), home, journal := Journal())
    assert (back.root / "new.py").read_text() == "2\n"  # the copy that was here is behind, and was replaced
    assert journal.written
    assert not (await open_checkout(task(repo, "and on", turn=3, kept=second, attempt=2), home)).note


async def test_a_copy_is_gone_on_with_where_the_last_turn_ended(repo, home):
    first = await changed(await open_checkout(task(repo, "go"), home), 1, home, a="ours\n")
    (home / "1" / "1" / "work" / "ignored.log").write_text("made by a command")
    again = await open_checkout(task(repo, "go on", turn=2, kept=first), home)
    assert (again.root / "ignored.log").exists()
    assert (again.note, again.lost, again.turn) == ("", False, 2)


async def test_changes_that_do_not_fit_another_workers_repository_are_not_lost(repo, home, elsewhere):
    first = await changed(await open_checkout(task(repo, "go"), home), 1, home, a="ours\n")
    (repo / "a.py").write_text("theirs\n")
    with pytest.raises(EngineError, match=r"contexten runs diff 1.*a\.py \(it is not as it was\)"):
        await open_checkout(task(repo, "go on", turn=2, kept=first), elsewhere)
    assert find_checkout(elsewhere, 1, 1) is None


async def test_changes_that_a_person_took_over_are_there_already(repo, home, elsewhere):
    first = await changed(await open_checkout(task(repo, "go"), home), 1, home, a="ours\n")
    (repo / "a.py").write_text("ours\n")
    other = await open_checkout(task(repo, "go on", turn=2, kept=first), elsewhere)
    assert not other.changes()


async def test_an_attempt_knows_when_what_another_one_did_may_be_missing(repo, home, elsewhere):
    assert not (await open_checkout(task(repo, "go"), home)).lost
    assert not (await open_checkout(task(repo, "go", attempt=2), home)).lost
    taken_over = await open_checkout(task(repo, "go", attempt=3), elsewhere)
    assert taken_over.lost
    assert "before it was interrupted is not in it" in taken_over.note
    assert (await open_checkout(task(repo, "go", attempt=4), home)).lost
