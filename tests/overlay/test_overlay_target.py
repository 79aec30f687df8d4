"""Finding the package: environments, folders, other layouts, and the forms that cannot be changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path, PureWindowsPath

import pytest

from contexten.errors import CodegenNotFoundError, PackageStructureError, UsageError
from contexten.overlay import apply, find, record, revert, status
from contexten.overlay.target import environment_folders

pytestmark = pytest.mark.conformance


def test_it_is_found_by_interpreter_environment_site_packages_and_package(environment):
    places = [{"python": environment.python}]
    places += [{"target": place} for place in (environment.root, environment.site_packages, environment.package)]
    for place in places:
        found = find(**place)
        assert (found.package, found.version) == (environment.package, "0.57.0")
    assert find(python=environment.python).python == environment.python


def test_the_activated_environment_is_used_when_this_one_has_none(environment, monkeypatch):
    monkeypatch.setenv("VIRTUAL_ENV", str(environment.root))
    assert find().package == environment.package
    assert find().python == environment.python


def test_without_any_it_says_what_to_do(monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    with pytest.raises(
        CodegenNotFoundError, match=r"Codegen package not found in .*pip install codegen.*--python PATH"
    ):
        find()


def test_an_environment_without_the_package(environment):
    subprocess.run(["rm", "-rf", *map(str, environment.site_packages.glob("codegen*"))], check=True)
    for place in ({"python": environment.python}, {"target": environment.root}):
        with pytest.raises(CodegenNotFoundError, match="Codegen package not found"):
            find(**place)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"target": "/no/such/folder"}, "there is no folder"),
        ({"python": "/no/such/python"}, "there is no interpreter"),
        ({"python": "/bin/cat"}, "does not answer as a Python interpreter"),
        ({"python": "a", "target": "b"}, "both given"),
    ],
)
def test_places_that_cannot_be_meant(place, words):
    with pytest.raises(UsageError, match=words):
        find(**place)


def test_the_layout_of_windows_is_known(environment, tmp_path):
    root = tmp_path / "windows"
    (root / "Lib").mkdir(parents=True)
    environment.site_packages.rename(root / "Lib" / "site-packages")
    found = find(target=root)
    assert found.site_packages == root / "Lib" / "site-packages"
    assert environment_folders(PureWindowsPath("C:/Envs/shop"))[0] == PureWindowsPath(r"C:\Envs\shop\Lib\site-packages")


def test_a_record_with_the_paths_of_windows_is_understood():
    text = b'codegen\\agents\\agent.py,sha256=abc,3\r\n"codegen\\a,b.py",sha256=def,4\r\n'
    assert set(record.entries(text)) == {"codegen/agents/agent.py", "codegen/a,b.py"}
    added = record.with_entries(text, {"codegen/contexten/x.py": b"codegen/contexten/x.py,sha256=x,1"})
    assert added == text + b"codegen/contexten/x.py,sha256=x,1\r\n"
    assert record.without_files(added, {"codegen/contexten/x.py"}) == text


def test_an_editable_installation_is_refused(environment):
    (environment.record.parent / "direct_url.json").write_text(
        json.dumps({"url": "file:///src/codegen", "dir_info": {"editable": True}})
    )
    with pytest.raises(PackageStructureError, match=r"editable.*contexten overlay run SCRIPT"):
        environment.target()


def test_a_zipped_package_is_refused(environment, tmp_path):
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write(environment.agent, "codegen/agents/agent.py")
    subprocess.run(["rm", "-rf", *map(str, environment.site_packages.glob("codegen*"))], check=True)
    (environment.site_packages / "zipped.pth").write_text(str(archive))
    with pytest.raises(PackageStructureError, match="inside the archive"):
        environment.target()


def test_a_package_without_metadata_is_refused(environment):
    subprocess.run(["rm", "-rf", str(environment.record.parent)], check=True)
    with pytest.raises(PackageStructureError, match="has no metadata"):
        environment.target()


def test_names_with_spaces_and_links_work(environment, tmp_path):
    moved = tmp_path / "a folder; with $signs"
    environment.root.rename(moved)
    link = tmp_path / "link"
    link.symlink_to(moved)
    target = find(python=link / "bin" / "python")
    apply(target)
    assert status(target).next[0] == f"contexten overlay verify --python {link}/bin/python"
    assert "'" in status(find(target=moved)).next[0]
    revert(target)


def test_the_door_needs_nothing_but_the_standard_library(environment):
    door = Path(__file__).parents[2] / "extensions" / "codegen" / "apply_overlay.py"
    words = [sys.executable, "-I", "-S", str(door), "--target", str(environment.site_packages)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "applied to codegen 0.57.0"), done.stderr
