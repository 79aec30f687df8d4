"""Files that somebody, or a full disk, has broken: each is told in words, and a whole package can be had again."""

from __future__ import annotations

import json

import pytest

from contexten.errors import OverlayError, PackageStructureError
from contexten.overlay import State, apply, revert, status, verify

pytestmark = pytest.mark.conformance

BROKEN_MANIFESTS = {
    "not JSON": lambda _: b"{",
    "not UTF-8": lambda _: b"\xff\xfe",
    "too deep": lambda _: b"[" * 100_000,
    "a list": lambda _: b"[]",
    "only its schema": lambda facts: json.dumps({"schema": facts["schema"]}).encode(),
    "a list of files": lambda facts: json.dumps(facts | {"files": []}).encode(),
    "no version": lambda facts: json.dumps(facts | {"contexten": None}).encode(),
}


@pytest.mark.parametrize("broken", BROKEN_MANIFESTS.values(), ids=BROKEN_MANIFESTS)
@pytest.mark.parametrize("do", [apply, revert])
def test_a_broken_manifest_is_mended_or_taken_out(environment, broken, do):
    before = environment.snapshot()
    apply(environment.target())
    applied = environment.snapshot()
    manifest = environment.package / "contexten" / "manifest.json"
    manifest.write_bytes(broken(json.loads(manifest.read_bytes())))
    found = status(environment.target())
    assert found.state is State.INTERRUPTED
    assert "manifest.json is missing or broken" in found.problems[0]
    assert not all(check.passed for check in verify(environment.target()))
    do(environment.target())
    assert environment.snapshot() == (applied if do is apply else before)


@pytest.mark.parametrize("line", [b"\xff\xfe,,\n", b"a\x00b,,\n", b'"' + b"x" * 200_000 + b",,\n"])
def test_lines_of_record_that_no_installer_writes_stay_as_they_are(environment, line):
    environment.record.write_bytes(environment.record.read_bytes() + line)
    before = environment.snapshot()
    assert status(environment.target()).state is State.ABSENT
    apply(environment.target())
    assert line in environment.record.read_bytes()
    verify(environment.target())
    revert(environment.target())
    assert environment.snapshot() == before


@pytest.mark.parametrize("origin", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"dir_info": []}'])
def test_an_origin_that_cannot_be_understood_is_refused(environment, origin):
    (environment.record.parent / "direct_url.json").write_bytes(origin)
    with pytest.raises(PackageStructureError, match=r"direct_url.json cannot be understood"):
        environment.target()


@pytest.mark.parametrize(
    "name", ["agents/agent.py.original", "agents/agent.py", "contexten/manifest.json", "contexten/x.py"]
)
def test_a_folder_in_the_place_of_a_file_is_told(environment, name):
    apply(environment.target())
    place = environment.package / name
    place.unlink(missing_ok=True)
    place.mkdir()
    for do in (status, apply, revert):
        with pytest.raises(OverlayError, match=r"cannot be read: Is a directory"):
            do(environment.target())


def test_a_revert_that_is_stopped_midway_says_so(environment):
    apply(environment.target())
    stray = environment.package / "agents" / "agent.py.contexten-new"
    stray.mkdir()
    with pytest.raises(OverlayError, match="could not be taken out wholly"):
        revert(environment.target())
    stray.rmdir()
    revert(environment.target())
    assert status(environment.target()).state is State.ABSENT


def test_a_broken_archive_on_the_path_is_passed_over(environment, tmp_path, monkeypatch):
    archive = tmp_path / "broken.zip"
    archive.write_bytes(b"PK\x05\x06" + b"\xff" * 18)
    monkeypatch.setenv("PYTHONPATH", str(archive))
    assert environment.target().package == environment.package
