"""The server's own folders, and those of its machine: who may have what read."""

from __future__ import annotations

import logging
import shutil

import pytest

from contexten.client.local import FILE_NAME
from contexten.engines.analyst import AnalystEngine
from contexten.errors import SettingsError
from contexten.server.serve import Embedded
from running_server import engines, running, settings_for
from shop_project import commit_all, make_project


@pytest.fixture
def home(tmp_path):
    """A home folder that holds the server's data, as it does by default."""
    return make_project(tmp_path / "home", {".ssh/id_rsa": "PRIVATE KEY", "notes.txt": "ctx_ is how a token begins"})


@pytest.fixture
def place(tmp_path, home):
    folders = {"CONTEXTEN_DATA_DIR": home / "contexten", "CONTEXTEN_REPO": home}
    with running(tmp_path, more_engines=[AnalystEngine(cache=tmp_path / "cache")], **folders) as place:
        yield place


def found(caller, text, **body):
    return caller.finished(f'Find "{text}"', engine="analyst", **body)["result"]


def register(caller, location):
    return caller.http.post(caller.url("/repos"), json={"location": str(location)})


def test_no_run_reads_the_tokens_or_keys_of_whoever_started_the_server(place, home):
    told = found(place.member, "ctx_")
    assert "notes.txt:1" in told
    assert place.admin.token not in told
    assert FILE_NAME not in told
    assert "PRIVATE" not in found(place.member, "PRIVATE KEY").replace("`PRIVATE KEY`", "")
    assert "SQLite" not in found(place.member, "SQLite format").replace("`SQLite format`", "")


def test_nobody_registers_the_data_folder_or_a_clone_in_it(place, home, tmp_path):
    origin = make_project(tmp_path / "origin", {"a.py": "x = 1\n"})
    commit_all(origin, "First")
    clone = register(place.admin, f"file://{origin}").json()["path"]
    (tmp_path / "way").symlink_to(home / "contexten")
    for location in (home / "contexten", home / "contexten" / "repos", clone, tmp_path / "way", f"file://{clone}"):
        answer = register(place.admin, location)
        assert answer.status_code in {400, 422}, answer.text
        assert "belongs to the server itself" in answer.json()["message"]


def test_a_clone_can_be_read(place, tmp_path):
    origin = make_project(tmp_path / "origin", {"a.txt": "ctx_mine"})
    commit_all(origin, "First")
    repo = register(place.admin, f"file://{origin}").json()["id"]
    assert "a.txt:1" in found(place.member, "ctx_", repo_id=repo)


@pytest.mark.parametrize("form", ["{}", " {} ", "file://{}", "FILE://{}", "file:{}", "{}/does/not/exist"])
def test_folders_of_the_machine_are_for_the_first_organization(place, tmp_path, form):
    answer = register(place.other, form.format(tmp_path))
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("Folders of the server's machine are for organization 1.")


def test_addresses_are_for_every_organization(place):
    answer = register(place.other, "https://127.0.0.1:1/shop.git")
    assert answer.status_code == 422
    assert "git clone failed" in answer.json()["message"]


def test_a_repository_that_holds_the_data_folder_is_warned_of(tmp_path, caplog):
    for data, warned in ((tmp_path.parent / f"{tmp_path.name}-data", False), (tmp_path / "data", True)):
        caplog.clear()
        with (
            caplog.at_level(logging.WARNING, "contexten.server"),
            Embedded(settings_for(tmp_path, CONTEXTEN_DATA_DIR=data), engines=engines()),
        ):
            pass
        assert ("holds this server's data folder" in caplog.text) is warned
        shutil.rmtree(data)


@pytest.mark.parametrize("inside", ["", "repos", "repos/../x"])
def test_a_server_does_not_start_on_its_own_folder(tmp_path, inside):
    (tmp_path / "data" / "repos").mkdir(parents=True)
    (tmp_path / "data" / "x").mkdir()
    settings = settings_for(tmp_path, CONTEXTEN_REPO=tmp_path / "data" / inside)
    with pytest.raises(SettingsError, match=r"belongs to the server itself.*CONTEXTEN_REPO"):
        Embedded(settings, engines=engines()).__enter__()
