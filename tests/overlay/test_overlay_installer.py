"""Applying and reverting on real installations: what changes, what does not, and what each state is called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from codegen_environments import NEWEST, every_version, make_environment, uv

from contexten.errors import (
    CodegenNotFoundError,
    OverlayBusyError,
    OverlayError,
    PackageEditedError,
    PackageNotWritableError,
    PackageStructureError,
)
from contexten.overlay import State, apply, block, revert, status, verify
from contexten.overlay.lock import locked

pytestmark = pytest.mark.conformance


def state(environment):
    return status(environment.target()).state


def reinstall(environment, version=NEWEST):
    uv("pip", "install", "--python", str(environment.root), f"codegen=={version}", "--no-deps", "--reinstall")


@pytest.mark.parametrize(("version", "python"), every_version())
def test_revert_gives_back_every_byte(tmp_path, version, python):
    environment = make_environment(tmp_path / "environment", version, python, whole=False)
    before = environment.snapshot()
    assert state(environment) is State.ABSENT

    done = apply(environment.target())
    assert (done.changed, done.before, done.status.state) == (True, State.ABSENT, State.APPLIED)
    assert environment.untrue_records() == []
    changed = {name for name, facts in environment.snapshot().items() if before.get(name) != facts}
    listed = {"codegen/agents/agent.py", "codegen/agents/agent.py.original", environment.record_name}
    assert {name for name in changed if not name.startswith("codegen/contexten/")} == listed
    documented = {
        f"codegen/contexten/{name}.py" for name in ("__init__", "integration", "events", "metrics", "monitoring")
    }
    assert documented <= changed

    done = revert(environment.target())
    assert (done.changed, done.before, done.status.state) == (True, State.APPLIED, State.ABSENT)
    assert environment.snapshot() == before
    assert environment.untrue_records() == []
    assert not (environment.package / "contexten").exists()


def test_a_second_time_changes_nothing(environment):
    apply(environment.target())
    before = environment.snapshot()
    again = apply(environment.target())
    assert (again.changed, again.steps, again.before) == (False, (), State.APPLIED)
    assert environment.snapshot() == before
    revert(environment.target())
    again = revert(environment.target())
    assert (again.changed, again.before) == (False, State.ABSENT)


@pytest.mark.parametrize("do", [apply, revert])
def test_a_dry_run_tells_the_changes_and_makes_none(environment, do):
    if do is revert:
        apply(environment.target())
    before = environment.snapshot()
    outcome = do(environment.target(), dry_run=True)
    assert not outcome.changed
    assert {environment.agent, environment.record} <= {step.path for step in outcome.steps}
    assert environment.snapshot() == before


@pytest.mark.parametrize("link_mode", ["hardlink", "symlink"])
def test_files_shared_with_other_environments_stay_as_they_are(tmp_path, link_mode):
    def linked(name):
        return make_environment(tmp_path / name, NEWEST, "3.12", whole=False, link_mode=link_mode)

    one, other = linked("one"), linked("other")
    if not one.agent.samefile(other.agent):
        pytest.skip("this file system has no links that uv can use")
    before, inode = other.snapshot(), other.agent.stat().st_ino
    apply(one.target())
    assert other.snapshot() == before
    revert(one.target())
    fresh = linked("fresh")
    assert (other.snapshot(), fresh.untrue_records()) == (before, [])
    assert fresh.agent.samefile(other.agent)
    assert other.agent.stat().st_ino == inode


def test_a_package_that_pip_installed_is_uninstalled_without_a_rest(environment):
    uv("pip", "install", "--python", str(environment.root), "pip")
    pip = [str(environment.python), "-m", "pip"]
    subprocess.run([*pip, "uninstall", "-y", "-q", "codegen"], check=True)
    subprocess.run([*pip, "install", "-q", "--no-deps", f"codegen=={NEWEST}"], check=True)
    before = environment.snapshot()
    apply(environment.target())
    assert environment.untrue_records() == []
    revert(environment.target())
    assert environment.snapshot() == before
    apply(environment.target())
    subprocess.run([*pip, "uninstall", "-y", "-q", "codegen"], check=True)
    assert not environment.package.exists()
    with pytest.raises(CodegenNotFoundError, match="Codegen package not found"):
        environment.target()


def test_a_package_that_uv_installed_is_uninstalled_without_a_rest(environment):
    apply(environment.target())
    environment.run("import sys; sys.path.insert(0, sys.argv[1]); import contexten.metrics", str(environment.package))
    uv("pip", "uninstall", "--python", str(environment.root), "codegen")
    assert not environment.package.exists()


def test_use_upgrade_status_apply_revert(tmp_path):
    environment = make_environment(tmp_path / "environment", "0.56.3", "3.12", whole=False)
    apply(environment.target())
    reinstall(environment, NEWEST)
    fresh = environment.snapshot()
    assert state(environment) is State.ABSENT
    apply(environment.target())
    assert status(environment.target()).codegen == NEWEST
    revert(environment.target())
    assert environment.snapshot() == fresh
    assert environment.untrue_records() == []


@pytest.mark.parametrize("do", [apply, revert])
def test_an_upgrade_that_leaves_our_files_behind_is_stale(tmp_path, do):
    environment = make_environment(tmp_path / "environment", "0.56.2", "3.12", whole=False)
    apply(environment.target())
    keep = tmp_path / "kept"
    shutil.copytree(environment.package / "contexten", keep)
    backup = environment.agent.with_name("agent.py.original").read_bytes()
    reinstall(environment, NEWEST)
    fresh = environment.snapshot()
    shutil.copytree(keep, environment.package / "contexten")
    environment.agent.with_name("agent.py.original").write_bytes(backup)

    found = status(environment.target())
    assert (found.state, found.problems[0]) == (State.STALE, "the overlay was applied to codegen 0.56.2")
    do(environment.target())
    assert state(environment) is (State.APPLIED if do is apply else State.ABSENT)
    revert(environment.target())
    assert environment.snapshot() == fresh


def test_leftovers_of_an_uninstall_are_told_and_taken_away(environment):
    apply(environment.target())
    record = environment.record.read_bytes()
    environment.record.write_bytes(b"".join(line for line in record.splitlines(True) if b"contexten/" not in line))
    uv("pip", "uninstall", "--python", str(environment.root), "codegen")
    found = status(environment.target())
    assert found.state is State.LEFTOVERS
    assert found.next[0].startswith("contexten overlay revert --python ")
    with pytest.raises(CodegenNotFoundError, match=r"left behind\. Run: contexten overlay revert"):
        apply(environment.target())
    assert revert(environment.target()).changed
    assert not environment.package.exists()


def test_restoring_by_hand_as_documented_works(environment):
    before = environment.snapshot()
    apply(environment.target())
    agents = environment.agent.parent
    subprocess.run(["cp", "agent.py.original", "agent.py"], cwd=agents, check=True)
    subprocess.run(["rm", "-rf", str(environment.package / "contexten")], check=True)
    assert environment.snapshot()["codegen/agents/agent.py"] == before["codegen/agents/agent.py"]
    assert state(environment) is State.INTERRUPTED
    revert(environment.target())
    assert environment.snapshot() == before


@pytest.mark.parametrize("do", [apply, revert])
def test_what_was_restored_by_hand_can_be_applied_or_tidied(environment, do):
    before = environment.snapshot()
    apply(environment.target())
    shutil.copy(environment.agent.with_name("agent.py.original"), environment.agent)
    do(environment.target())
    assert state(environment) is (State.APPLIED if do is apply else State.ABSENT)
    revert(environment.target())
    assert environment.snapshot() == before


def test_an_edit_that_was_there_before_is_refused_or_kept(environment):
    environment.agent.write_bytes(environment.agent.read_bytes() + b"\n# another tool\n")
    before = environment.snapshot()
    assert state(environment) is State.EDITED
    with pytest.raises(PackageEditedError, match=r"somebody edited it.*--force"):
        apply(environment.target())
    assert environment.snapshot() == before
    apply(environment.target(), force=True)
    assert state(environment) is State.APPLIED
    assert b"# another tool" in environment.agent.read_bytes()
    failed = [check.name for check in verify(environment.target()) if not check.passed]
    assert "the original is as codegen's makers released it" in failed
    revert(environment.target())
    assert environment.snapshot() == before


def test_an_edit_made_since_is_kept_by_apply_and_dropped_by_revert(environment):
    original = environment.agent.read_bytes()
    apply(environment.target())
    environment.agent.write_bytes(b"# mine\n" + environment.agent.read_bytes())
    assert state(environment) is State.EDITED
    for do in (apply, revert):
        with pytest.raises(PackageEditedError, match="edited after the overlay was applied"):
            do(environment.target())
    apply(environment.target(), force=True)
    assert state(environment) is State.APPLIED
    assert environment.agent.read_bytes().startswith(b"# mine\n")
    environment.agent.write_bytes(environment.agent.read_bytes() + b"# more\n")
    revert(environment.target(), force=True)
    assert environment.agent.read_bytes() == b"# mine\n" + original


@pytest.mark.parametrize("do", [apply, revert])
def test_an_edit_of_our_own_files_is_found_and_needs_force(environment, do):
    before = environment.snapshot()
    apply(environment.target())
    file = environment.package / "contexten" / "metrics.py"
    file.write_text(file.read_text() + "# mine\n")
    assert status(environment.target()).problems == [f"{file} was edited"]
    with pytest.raises(PackageEditedError):
        do(environment.target())
    do(environment.target(), force=True)
    assert state(environment) is (State.APPLIED if do is apply else State.ABSENT)
    revert(environment.target())
    assert environment.snapshot() == before


def test_an_edit_inside_the_block_without_a_backup_asks_for_a_new_installation(environment):
    apply(environment.target())
    environment.agent.with_name("agent.py.original").unlink()
    environment.agent.write_bytes(environment.agent.read_bytes().replace(b"as _contexten_instrument", b"as _mine"))
    for do in (apply, revert):
        with pytest.raises(PackageEditedError, match="pip install --force-reinstall"):
            do(environment.target(), force=True)


def test_a_lost_backup_is_made_again_from_the_block(environment):
    before = environment.snapshot()
    apply(environment.target())
    environment.agent.with_name("agent.py.original").unlink()
    assert state(environment) is State.INTERRUPTED
    apply(environment.target())
    assert state(environment) is State.APPLIED
    environment.agent.with_name("agent.py.original").unlink()
    revert(environment.target())
    assert environment.snapshot() == before


def test_the_overlay_of_another_version_is_outdated_and_replaced(environment):
    before = environment.snapshot()
    apply(environment.target())
    folder = environment.package / "contexten"
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "metrics.py").write_text("# an older one\n")
    (folder / "gone.py").write_text("# no longer there\n")
    manifest["files"] |= {name: _sha256(folder / name) for name in ("metrics.py", "gone.py")}
    manifest |= {"payload": "older", "contexten": "0.0.9"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = status(environment.target())
    assert (found.state, found.applied_by) == (State.OUTDATED, "0.0.9")
    apply(environment.target())
    assert state(environment) is State.APPLIED
    assert not (folder / "gone.py").exists()
    revert(environment.target())
    assert environment.snapshot() == before


def test_a_lost_agent_file_does_not_keep_the_rest_from_going(environment):
    before = environment.snapshot()
    apply(environment.target())
    environment.agent.unlink()
    revert(environment.target())
    del before["codegen/agents/agent.py"]
    left = environment.snapshot()
    assert left.keys() == before.keys()
    assert b"codegen/contexten/" not in environment.record.read_bytes()


def test_mode_and_line_endings_are_kept(environment):
    environment.agent.chmod(0o640)
    text = environment.agent.read_bytes().replace(b"\n", b"\r\n").rstrip()
    environment.agent.unlink()
    environment.agent.write_bytes(text)
    environment.agent.chmod(0o640)
    apply(environment.target(), force=True)
    enhanced = environment.agent.read_bytes()
    assert enhanced.count(b"\n") == enhanced.count(b"\r\n")
    assert environment.agent.stat().st_mode & 0o777 == 0o640
    revert(environment.target())
    assert environment.agent.read_bytes() == text
    assert environment.agent.stat().st_mode & 0o777 == 0o640


@pytest.fixture
def public_folder():
    """A folder that other users can look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_stay_that_users(environment):
    for path in (environment.package, environment.agent.parent, environment.agent, environment.record):
        os.chown(path, 65534, 65534)
    apply(environment.target())
    ours = [environment.package / "contexten", environment.package / "contexten" / "events.py"]
    changed = [environment.agent, environment.record, environment.agent.with_name("agent.py.original"), *ours]
    assert {path.stat().st_uid for path in changed} == {65534}
    revert(environment.target())
    assert environment.agent.stat().st_uid == 65534


def test_a_package_that_cannot_be_written_is_refused(public_folder):
    environment = make_environment(public_folder / "environment", NEWEST, "3.12", whole=False)
    before = environment.snapshot()
    folders = [environment.agent.parent, environment.package]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert _as_another_user(environment, apply) == "PackageNotWritableError: Package not writable"
        assert _as_another_user(environment, status) == "absent"
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert environment.snapshot() == before


def test_a_full_disk_leaves_the_package_as_it_was(environment, monkeypatch):
    before = environment.snapshot()
    target = environment.target()
    (environment.package / "contexten").mkdir()
    (environment.package / "contexten" / "monitoring.py.contexten-new").mkdir()
    with pytest.raises(OverlayError, match="could not be written"):
        apply(target)
    shutil.rmtree(environment.package / "contexten")
    assert environment.snapshot() == before


@pytest.mark.parametrize(
    ("version", "words"), [("0.53.9", "knows codegen 0.54 to 0.57"), ("0.58.0", "pip install"), ("", "no version")]
)
def test_other_versions_are_refused(environment, version, words):
    metadata = environment.record.with_name("METADATA")
    text = metadata.read_text().replace(f"Version: {NEWEST}", f"Version: {version}")
    metadata.unlink()
    metadata.write_text(text)
    with pytest.raises(PackageStructureError, match=words):
        apply(environment.target())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("class AgentTask", "class Task", "has no class AgentTask"),
        ("def refresh(self)", "def reload(self)", "there is no AgentTask.refresh"),
        ("def run(self, prompt", "def run(self, text", r"takes \(self, text\) instead of \(self, prompt"),
        ("class Agent:", "class Agent", "is not Python"),
    ],
)
def test_another_structure_is_refused(environment, old, new, words):
    text = environment.agent.read_text().replace(old, new)
    environment.agent.unlink()
    environment.agent.write_text(text)
    before = environment.snapshot()
    with pytest.raises(PackageStructureError, match=f"Package structure invalid: .*{words}"):
        apply(environment.target(), force=True)
    assert environment.snapshot() == before


@pytest.mark.parametrize("broken", ["agent", "record", "line"])
def test_a_package_without_its_agent_file_or_its_record_is_refused(environment, broken):
    record = environment.record
    if broken == "agent":
        environment.agent.unlink()
    else:
        text = record.read_text()
        record.unlink()
        if broken == "line":
            record.write_text("\n".join(line for line in text.splitlines() if "agents/agent.py" not in line) + "\n")
    with pytest.raises(PackageStructureError, match="Package structure invalid"):
        apply(environment.target(), force=True)


def test_two_at_once_are_one_after_the_other(environment):
    target = environment.target()
    with locked(target):
        for do in (apply, revert):
            with pytest.raises(OverlayBusyError, match="Try again"):
                do(target)
    assert apply(target).changed


def test_the_block_is_python_in_every_state():
    for original in (b"", b"x = 1", b"x = 1\n", b"x = 1\r\n", b"\n\n"):
        enhanced = block.enhanced(original)
        compile(enhanced, "agent.py", "exec")
        assert block.without_block(enhanced) == original
        assert block.without_block(enhanced + b"x") is None


def _sha256(file):
    from contexten.overlay.files import sha256

    return sha256(file.read_bytes())


def _as_another_user(environment, do):
    """What `do` says as a user whom permissions bind, which they do not for root."""
    target = environment.target()
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            said = do(target).state
        except PackageNotWritableError as error:
            said = f"{type(error).__name__}: {str(error).partition(': ')[0]}"
        except BaseException as error:  # noqa: BLE001 - the parent sees it
            said = repr(error)
        os.write(writable, str(said).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        return pipe.read()
