"""Copies of repositories whose runs are deleted: none stays for good."""

import json
import shutil
import time

import pytest

from editing_engine import Editing
from running_server import running
from shop_project import make_project

pytestmark = pytest.mark.once
WRITE = json.dumps({"end": "well", "a.py": "two\n"})


def test_what_a_crash_left_of_a_deleted_run_goes_at_the_next_start(tmp_path):
    """And nothing else: a copy that the store knows nothing of may be another database's."""
    repo = make_project(tmp_path / "shop", {"a.py": "one\n"})
    with running(tmp_path, more_engines=[Editing(tmp_path / "data")], CONTEXTEN_REPO=repo) as place:
        kept, gone = (place.admin.finished(WRITE, engine="editing")["id"] for _ in range(2))
        copies = tmp_path / "data" / "checkouts" / str(place.admin.org)
        shutil.copytree(copies / str(gone), tmp_path / "left", symlinks=True)
        assert place.admin.http.delete(place.admin.url(f"/agent/run/{gone}")).status_code == 200
        assert not (copies / str(gone)).exists()
    (tmp_path / "left").rename(copies / str(gone))
    shutil.copytree(copies / str(kept), copies / "4711", symlinks=True)
    with running(tmp_path, CONTEXTEN_REPO=repo):
        deadline = time.monotonic() + 60
        while {each.name for each in copies.iterdir()} != {str(kept), "4711"}:
            assert time.monotonic() < deadline, list(copies.iterdir())
            time.sleep(0.02)
