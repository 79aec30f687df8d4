"""The credentials file."""

import json
import stat

import pytest

from contexten.client.local import LocalCredentials
from contexten.errors import SettingsError

CREDENTIALS = LocalCredentials("http://127.0.0.1:8000", "ctx_secret", 1)


def test_what_is_written_is_read_back(tmp_path):
    CREDENTIALS.write(tmp_path / "new" / "folder")
    assert LocalCredentials.read(tmp_path / "new" / "folder") == CREDENTIALS


def test_only_the_user_can_read_it(tmp_path):
    folder = tmp_path / "data"
    path = CREDENTIALS.write(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_writing_again_replaces_it_and_leaves_nothing_beside_it(tmp_path):
    CREDENTIALS.write(tmp_path)
    LocalCredentials("http://127.0.0.1:9000", "ctx_other", 2).write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["credentials.json"]
    assert LocalCredentials.read(tmp_path) == LocalCredentials("http://127.0.0.1:9000", "ctx_other", 2)


def test_no_file_means_no_credentials(tmp_path):
    assert LocalCredentials.read(tmp_path) is None
    (tmp_path / "file").write_text("x")
    assert LocalCredentials.read(tmp_path / "file") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", json.dumps({"base_url": "x"}), b"\xff\xfe".decode("latin-1")]
)
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "credentials.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"credentials\.json"):
        LocalCredentials.read(tmp_path)


def test_the_token_is_not_in_its_repr():
    assert "ctx_secret" not in repr(CREDENTIALS)
