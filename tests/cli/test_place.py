"""Which repository a run is about: the one in which one stands, and when that is none, it is said which."""

import subprocess

import pytest

pytestmark = pytest.mark.once


@pytest.fixture
def elsewhere(live, tmp_path):
    """A git project that the server does not know, with a folder in it."""
    folder = tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    (folder / "tool.py").write_text("def turn(): ...\n")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


@pytest.mark.parametrize("below", ["", "deep"])
def test_the_git_project_around_the_current_folder(live, elsewhere, below):
    done = live("run", "Where is turn defined?", cwd=elsewhere / below)
    assert f" · {elsewhere}\n" in done.stdout
    assert "tool.py:1" in done.stdout
    assert done.stderr == ""


def test_a_known_folder_around_the_current_one(live, tmp_path):
    (tmp_path / "notes" / "deep").mkdir(parents=True)
    live("repos", "add", str(tmp_path / "notes"))
    done = live("run", "overview", cwd=tmp_path / "notes" / "deep")
    assert f" · {tmp_path}/notes\n" in done.stdout


def test_elsewhere_the_repository_is_named(live, tmp_path):
    done = live("run", "Who calls refund_order?", cwd=tmp_path)
    assert " · ~/src/shop\n" in done.stdout
    assert done.stderr == (
        "The current folder is no project that the server knows, so this is about ~/src/shop. Another: --repo PATH\n"
    )


def test_a_default_that_was_removed_is_not_replaced_in_silence(machine, tmp_path):
    (tmp_path / "other").mkdir()
    with machine.up():
        machine("repos", "add", str(tmp_path / "other"))
        machine("repos", "remove", "1")
        done = machine("run", "Who calls refund_order?")
    assert " · ~/src/shop\n" in done.stdout
    assert "shop/checkout.py:8" in done.stdout
