"""`contexten doctor`: what it finds on a machine that is well, and on machines that are not."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from free_port import free_port

pytestmark = pytest.mark.once


def found(machine, code=0):
    checks = machine.json("doctor", code=code)["checks"]
    return {check["name"]: check for check in checks}


def test_a_fresh_machine_is_well(machine):
    port = free_port()
    machine.extra["CONTEXTEN_PORT"] = str(port)
    checks = found(machine)
    assert [checks[name]["state"] for name in ("python", "sqlite", "data", "token", "git", "analyst")] == ["ok"] * 6
    assert checks["server"] == {
        "name": "server",
        "state": "note",
        "detail": f"not up; port {port} is free",
        "next_step": "contexten up",
    }
    assert not machine.data.exists()


def test_a_running_server_is_found(live):
    assert found(live)["server"]["detail"] == f"up at {live.base_url}"


def test_people_get_a_line_for_each_check(live):
    done = live("doctor")
    assert done.returncode == 0
    assert any(line.split()[:2] == ["ok", "python"] for line in done.stdout.splitlines())
    assert "\x1b" not in done.stdout


def test_a_taken_port_comes_with_another(machine):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        machine.extra["CONTEXTEN_PORT"] = str(port)
        check = found(machine)["server"]
    assert check["detail"] == f"not up, and port {port} is taken by another program"
    assert check["next_step"] == f"contexten up --port {port + 1}"


@pytest.mark.parametrize(
    ("content", "mode", "step"),
    [
        ("nonsense", 0o600, "rm "),
        ('{"base_url": "http://127.0.0.1:1", "token": "x", "organization_id": 1}', 0o644, "chmod 600 "),
    ],
    ids=["broken", "readable"],
)
def test_a_credentials_file_that_is_not_right_is_broken(machine, content, mode, step):
    machine.data.mkdir(parents=True, mode=0o700)
    path = machine.data / "credentials.json"
    path.write_text(content)
    path.chmod(mode)
    check = found(machine, code=1)["token"]
    assert check["state"] == "broken"
    assert check["next_step"].startswith(f"{step}{path}")


def test_a_data_folder_that_others_can_read_is_noted(machine):
    machine.data.mkdir(parents=True, mode=0o755)
    machine.data.chmod(0o755)
    check = found(machine)["data"]
    assert (check["state"], check["next_step"]) == ("note", f"chmod 700 {machine.data}")


@pytest.mark.parametrize("below", ["", "deeper/still"], ids=["itself", "above it"])
def test_a_file_where_the_data_folder_belongs_is_broken(machine, tmp_path, below):
    (tmp_path / "file").write_text("")
    machine.extra["CONTEXTEN_DATA_DIR"] = str(tmp_path / "file" / below)
    check = found(machine, code=1)["data"]
    assert (check["state"], check["next_step"]) == ("broken", "set CONTEXTEN_DATA_DIR to a folder of yours")


def test_a_program_that_is_missing_is_a_note(machine, tmp_path, monkeypatch):
    only = tmp_path / "bin"
    only.mkdir()
    (only / "bwrap").symlink_to(shutil.which("true"))
    monkeypatch.setenv("PATH", str(only))
    checks = found(machine)
    assert (checks["git"]["state"], checks["git"]["detail"]) == ("note", "not installed")
    assert checks["git"]["next_step"]


def test_a_machine_without_walls_is_told_so(machine):
    machine.extra["CONTEXTEN_SANDBOX"] = "none"
    check = found(machine)["sandbox"]
    assert (check["state"], check["next_step"]) == ("note", "unset CONTEXTEN_SANDBOX")
    assert check["detail"].startswith("none: commands of a model read and do all")


def test_what_it_says_holds_no_token(live):
    token = json.loads(Path(live.data / "credentials.json").read_text())["token"]
    done = live("doctor", "--json")
    assert token not in done.stdout + done.stderr
