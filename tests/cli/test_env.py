"""`contexten env`: variables that a shell takes over, and the official program's sign-in file."""

import json
import stat
import subprocess

import pytest

pytestmark = pytest.mark.once

NAMES = {
    "CODEGEN_API_TOKEN",
    "CODEGEN_ORG_ID",
    "CODEGEN_BASE_URL",
    "CODEGEN_API_BASE_URL",
    "TELEMETRY_ENABLED",
    "TELEMETRY_CONSENT_PROMPTED",
}


@pytest.fixture
def auth(live):
    path = live.home / ".codegen" / "auth.json"
    yield path
    for file in path.parent.glob("*"):
        file.unlink()


@pytest.fixture
def token(live):
    return json.loads((live.data / "credentials.json").read_text())["token"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_takes_the_variables_over(live, token, shell):
    script = 'eval "$("$0" env)" && printf "%s\\n" "$CODEGEN_API_TOKEN" "$CODEGEN_ORG_ID" "$CODEGEN_API_BASE_URL" "$TELEMETRY_ENABLED"'
    done = subprocess.run(
        [shell, "-c", script, live.program], env=live.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [token, "1", live.base_url, "false"]


def test_what_a_shell_could_misread_is_quoted(machine):
    machine.data.mkdir(parents=True)
    odd = {"base_url": "http://127.0.0.1:1", "token": "a'b $(touch oops); `c`", "organization_id": 1}
    (machine.data / "credentials.json").write_text(json.dumps(odd))
    script = 'eval "$("$0" env 2>/dev/null)" && printf "%s" "$CODEGEN_API_TOKEN"'
    done = subprocess.run(
        ["sh", "-c", script, machine.program],
        cwd=machine.project,
        env=machine.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == odd["token"]
    assert not (machine.project / "oops").exists()


def test_the_variables_as_json(live, token):
    shown = live.json("env")
    assert set(shown) == NAMES
    assert (shown["CODEGEN_API_TOKEN"], shown["CODEGEN_BASE_URL"]) == (token, live.base_url)


def test_our_own_client_uses_them(live):
    live.extra |= live.json("env")
    try:
        assert live("org", "list").returncode == 0
    finally:
        live.extra.clear()


def test_a_server_that_is_not_up_is_mentioned(machine):
    with machine.up() as ready:
        assert machine("env").stderr == ""
    done = machine("env")
    assert done.returncode == 0
    assert done.stderr == f"no server answers at {ready['base_url']} now. Start it: contexten up\n"


def test_nobody_is_asked_in_a_pipe(live, auth):
    done = live("env", "--write-cli-auth")
    assert done.returncode == 2
    assert done.stderr.endswith("nobody can be asked in a pipe. Say it with --yes\n")
    assert not auth.exists()


def test_the_sign_in_file_is_written_for_the_user_alone(live, auth, token):
    done = live("env", "--write-cli-auth", "--yes")
    assert done.stdout == f"wrote {auth}\n"
    assert token not in done.stdout + done.stderr
    assert json.loads(auth.read_text()) == {"token": token}
    assert stat.S_IMODE(auth.stat().st_mode) == 0o600


def test_an_earlier_file_is_kept_beside_it(live, auth):
    auth.parent.mkdir(exist_ok=True)
    for earlier in ("first", "second"):
        auth.write_text(json.dumps({"token": earlier}))
        assert "(the earlier one is now " in live("env", "--write-cli-auth", "--yes").stdout
    live("env", "--write-cli-auth", "--yes")
    kept = sorted(auth.parent.glob("auth.json.backup*"))
    assert [json.loads(file.read_text())["token"] for file in kept] == ["first", "second"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in kept)
