"""A token is in the one file that is for it, and nowhere else."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

KEEPERS = {"credentials.json", "auth.json"}


def holders(home, secret):
    files = (path for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.name for path in files if secret.encode() in path.read_bytes()}


def test_the_token_is_in_no_database_and_no_log(live):
    made = live.call("POST", "/v1/organizations/1/agent/run", {"prompt": "overview"})
    live.wait_for_end(made["id"])
    assert holders(live.home, live.token) <= KEEPERS
    assert "credentials.json" in holders(live.home, live.token)


def test_a_wrong_token_is_refused_and_not_repeated(live):
    wrong = "ctx_wrong-but-someone-elses-secret"
    request = urllib.request.Request(
        f"{live.base_url}/v1/users/me?token={wrong}", headers={"Authorization": f"Bearer {wrong}"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert refused.value.code == 401
    assert wrong not in refused.value.read().decode()
    assert holders(live.home, wrong) == set()


def test_no_process_shows_the_token(live):
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
    assert lines
    assert not any(live.token.encode() in line for line in lines)


def readable(path):
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def test_the_file_with_the_token_is_its_owners_alone(live):
    (credentials,) = live.home.rglob("credentials.json")
    assert credentials.stat().st_mode & 0o777 == 0o600
    assert credentials.parent.stat().st_mode & 0o077 == 0
