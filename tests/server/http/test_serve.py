"""Starting and stopping: ports, the data folder's lock, credentials, signals."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import stat
import threading
from pathlib import Path

import httpx2
import pytest

from contexten.client.holder import Holder
from contexten.client.local import FILE_NAME, LocalCredentials
from contexten.errors import DataDirectoryInUseError, SettingsError
from contexten.server.lock import DataLock
from contexten.server.ports import bind, pid_listening, url_of
from contexten.server.serve import Embedded


def test_a_server_is_found_used_and_drained_by_a_signal(program, tmp_path):
    process, base_url = program()
    credentials = LocalCredentials.read(tmp_path / "data")
    assert credentials.base_url == base_url
    assert stat.S_IMODE((tmp_path / "data" / "credentials.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    headers = {"Authorization": f"Bearer {credentials.token}"}
    with httpx2.stream("GET", f"{base_url}/v1/organizations/1/events", headers=headers, timeout=60) as stream:
        lines = stream.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        list(lines)
    out, err = process.communicate(timeout=150)
    assert (process.returncode, out.strip()) == (0, "done")
    assert "Traceback" not in err
    assert Holder.read(tmp_path / "data") is None


def test_the_second_server_on_the_same_data_is_told_where_the_first_is(program, settings):
    process, base_url = program()
    with pytest.raises(DataDirectoryInUseError) as refused, Embedded(settings(), engines=quiet()):
        pass
    assert (refused.value.pid, refused.value.base_url) == (process.pid, base_url)
    assert base_url in str(refused.value)


def test_a_data_folder_is_one_by_whatever_name(program, tmp_path):
    _, base_url = program(CONTEXTEN_DATA_DIR="~/data", HOME=str(tmp_path))
    assert LocalCredentials.read(tmp_path / "data").base_url == base_url
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for name in ("data", "link", str(tmp_path / "link"), "~/link"):
        process, line = program(CONTEXTEN_DATA_DIR=name, HOME=str(tmp_path))
        assert line == ""
        assert "is in use by pid" in process.communicate(timeout=150)[1]


def test_everything_is_kept_in_the_data_folder_whatever_its_name(settings, tmp_path):
    before = {path.name for path in tmp_path.iterdir()}
    folder = tmp_path / "we?ird & #da%41ta"
    with Embedded(settings(CONTEXTEN_DATA_DIR=folder), engines=quiet()):
        assert {"contexten.sqlite", "queue.sqlite", FILE_NAME} <= {path.name for path in folder.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == before | {folder.name}


def test_a_taken_port_says_who_has_it(program, settings):
    process, base_url = program()
    port = int(base_url.rpartition(":")[2])
    assert pid_listening(port) == process.pid
    with pytest.raises(DataDirectoryInUseError, match=rf"port {port} is taken by pid {process.pid} .*same data"):
        bind(settings(CONTEXTEN_PORT=port))
    other = settings(CONTEXTEN_PORT=port, CONTEXTEN_DATA_DIR=settings().data_dir.parent / "elsewhere")
    with pytest.raises(SettingsError, match=rf"port {port} is taken by pid {process.pid} \(python"):
        bind(other)


def test_a_killed_server_leaves_nothing_locked_and_the_token_stays(program, tmp_path):
    process, _ = program()
    token = LocalCredentials.read(tmp_path / "data").token
    process.kill()
    process.wait()
    _, base_url = program()
    again = LocalCredentials.read(tmp_path / "data")
    assert (again.token, again.base_url) == (token, base_url)


def test_a_lost_credentials_file_is_written_anew(settings):
    chosen = settings()
    for content in (None, "not json", json.dumps({"base_url": "http://x", "token": "ctx_old", "organization_id": 1})):
        if content is not None:
            (chosen.data_dir / FILE_NAME).write_text(content)
        with Embedded(chosen, engines=quiet()) as server:
            me = httpx2.get(f"{server.base_url}/v1/users/me", headers=bearer(server), timeout=60)
            assert me.status_code == 200
        assert LocalCredentials.read(chosen.data_dir).token == server.token


def test_a_passing_server_leaves_the_address_in_the_credentials_alone(settings):
    chosen = settings(CONTEXTEN_PORT=8123)
    with Embedded(chosen, engines=quiet()) as server:
        assert LocalCredentials.read(chosen.data_dir).base_url is None
        assert Holder.read(chosen.data_dir).base_url == server.base_url
    LocalCredentials("http://127.0.0.1:9", server.token, 1).write(chosen.data_dir)
    with Embedded(chosen, engines=quiet()):
        assert LocalCredentials.read(chosen.data_dir).base_url == "http://127.0.0.1:9"


def quiet():
    from contexten.engines import Availability, Engines

    class Quiet:
        name = "echo"
        concurrency = None

        def availability(self):
            return Availability(ready=True)

        async def run(self, task, journal):
            raise AssertionError

    return Engines([Quiet()])


def test_an_unknown_default_engine_is_told_at_the_start(settings):
    with pytest.raises(SettingsError, match=r"There is no engine 'warp' .*Engines: echo"):
        Embedded(settings(CONTEXTEN_ENGINE="warp"), engines=quiet()).__enter__()


def test_runs_that_name_no_repository_work_where_the_server_was_started(program, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in [*folders, folders[0]]:
        folder.mkdir(exist_ok=True)
        process, base_url = program(CONTEXTEN_REPO=str(folder))
        assert home_of(base_url, LocalCredentials.read(tmp_path / "data")) == folder
        process.kill()  # its run goes on for ever, so it would be waited for
        process.wait()


def test_a_passing_server_works_where_its_program_is(settings, tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with Embedded(settings(CONTEXTEN_REPO=None), engines=quiet()) as server:
            assert home_of(server.base_url, server) == tmp_path / name


def test_a_current_folder_that_is_gone_is_told(settings, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SettingsError, match="folder is gone"):
        Embedded(settings(CONTEXTEN_REPO=None), engines=quiet()).__enter__()


def home_of(base_url, local):
    """Where a run that names no repository works."""
    with httpx2.Client(base_url=f"{base_url}/v1/organizations/1", headers=bearer(local), timeout=60) as http:
        repo_id = http.post("/agent/run", json={"prompt": "where am I?"}).json()["repo_id"]
        repos = http.get("/repos").json()["items"]
    return Path(next(repo["path"] for repo in repos if repo["id"] == repo_id))


def bearer(local):
    return {"Authorization": f"Bearer {local.token}"}


def test_a_repository_that_is_no_folder_is_told_at_the_start(settings, tmp_path):
    with pytest.raises(SettingsError, match="CONTEXTEN_REPO"):
        Embedded(settings(CONTEXTEN_REPO=tmp_path / "none"), engines=quiet()).__enter__()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_machines_are_let_in_only_on_demand(settings, host):
    with pytest.raises(SettingsError, match="CONTEXTEN_ALLOW_REMOTE"):
        bind(settings(CONTEXTEN_HOST=host))


def test_an_address_of_nobody_cannot_be_bound(settings):
    with pytest.raises(SettingsError, match="cannot be bound"):
        bind(settings(CONTEXTEN_HOST="192.0.2.1", CONTEXTEN_ALLOW_REMOTE=True))
    with pytest.raises(SettingsError, match="cannot be bound"):
        bind(settings(CONTEXTEN_HOST="no.such.host.invalid", CONTEXTEN_ALLOW_REMOTE=True))


def test_port_0_takes_a_free_one(settings):
    with bind(settings(CONTEXTEN_PORT=0)) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_lock_is_taken_once_and_let_go(tmp_path):
    first, second = DataLock(tmp_path), DataLock(tmp_path)
    first.acquire("http://127.0.0.1:1")
    with pytest.raises(DataDirectoryInUseError) as refused:
        second.acquire("http://127.0.0.1:2")
    assert refused.value.pid == os.getpid()
    first.release()
    second.acquire("http://127.0.0.1:2")
    assert Holder.read(tmp_path).base_url == "http://127.0.0.1:2"
    second.release()
    second.release()


def test_somebody_who_only_looks_and_is_slow_holds_no_folder(tmp_path):
    with (tmp_path / "server.lock").open("w") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        slow = threading.Timer(1, fcntl.flock, [looking, fcntl.LOCK_UN])
        slow.start()
        lock = DataLock(tmp_path)
        lock.acquire("http://127.0.0.1:1")
        lock.release()
        slow.join()


def test_two_servers_after_another_in_one_process(settings):
    for _ in range(2):
        with Embedded(settings(), engines=quiet()) as server:
            assert httpx2.get(f"{server.base_url}/health", timeout=60).json()["status"] == "ok"


def test_a_key_knows_its_request_after_the_servers_defaults_changed(start, tmp_path):
    ids = []
    for number, model in enumerate(("a:one", "b:two")):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        with start(CONTEXTEN_MODEL=model, CONTEXTEN_REPO=folder) as place:
            headers = {"Idempotency-Key": "k"}
            answer = place.admin.http.post(place.admin.url("/agent/run"), json={"prompt": "x"}, headers=headers)
            assert answer.status_code == 200, answer.text
            ids.append(answer.json()["id"])
    assert len(set(ids)) == 1
