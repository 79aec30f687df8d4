"""`contexten up`: the banner, a taken port, the same data twice, and how it stops."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

from cli.test_terminal import Screen, plain


@pytest.fixture
def taken_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def catches(process, number):
    """Whether a process has an answer of its own to a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"^SigCgt:\t(\w+)$", status, re.MULTILINE)[1], 16) >> (number - 1) & 1


def banner(machine, process):
    return [process.stdout.readline().rstrip("\n") for _ in range(5)]


def test_the_banner_says_where_it_is_and_what_it_has(machine):
    process = machine.start("up", "--port", "0")
    head, data, repo, engines, entry = banner(machine, process)
    out, err, code = machine.interrupt(process)
    assert re.fullmatch(
        r"  contexten 0\.1\.0   http://127\.0\.0\.1:\d+ +\(Ctrl-C stops it; runs in flight continue at the next start\)",
        head,
    )
    assert re.fullmatch(r"  data      ~/data/contexten +SQLite · 0 runs", data)
    assert re.fullmatch(r"  repo      ~/src/shop  \(main, 3 files indexed in \d+\.\d s\)", repo)
    assert engines.startswith("  engines   analyst ready")
    assert entry == "  open      the dashboard: contexten dashboard --open", "no log is to keep a link that signs in"
    assert (out, err, code) == ("", "", 0)


def test_a_second_start_has_the_same_token_and_counts_the_runs(machine):
    with machine.up() as first:
        assert machine("run", "Where is refund_order defined?").returncode == 0
        token = json.loads((machine.data / "credentials.json").read_text())["token"]
    with machine.up() as second:
        assert json.loads((machine.data / "credentials.json").read_text())["token"] == token
        assert second["runs"] == first["runs"] + 1 == 1


def test_the_data_is_for_the_user_alone(machine):
    with machine.up():
        assert stat.S_IMODE(machine.data.stat().st_mode) == 0o700
        assert stat.S_IMODE((machine.data / "credentials.json").stat().st_mode) == 0o600


def test_a_second_server_on_the_same_data_names_the_first(machine):
    with machine.up() as first:
        port = first["base_url"].rpartition(":")[2]
        same_port = machine("up", "--port", port)
        other_port = machine("up", "--port", "0")
    assert same_port.returncode == other_port.returncode == 1
    pid = r"pid \d+ \(contexten up"
    assert re.fullmatch(
        rf"error: port {port} is taken by {pid}, same data\)\. It is already running: {first['base_url']}\n",
        same_port.stderr,
    )
    assert re.search(rf"is in use by {pid}\)\. It is already running: {first['base_url']}\n$", other_port.stderr)


@pytest.mark.once
def test_a_server_that_is_only_slow_is_one(machine):
    with machine.up():
        pid = json.loads((machine.data / "server.json").read_text())["pid"]
        os.kill(pid, signal.SIGSTOP)
        goes_on = threading.Timer(2.5, os.kill, [pid, signal.SIGCONT])
        goes_on.start()
        assert machine.json("run", "overview", "--no-follow")["id"] == 1
        goes_on.join()


def test_a_port_that_another_program_has_is_named(machine, taken_port):
    done = machine("up", "--port", str(taken_port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {taken_port} is taken by pid {os.getpid()} (")
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1"])
def test_other_machines_need_leave(machine, host):
    done = machine("up", "--host", host, "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {host} can be reached from other machines.")
    assert "--allow-remote" in done.stderr


def test_a_server_for_others_says_so(machine):
    process = machine.start("up", "--port", "0", "--host", "0.0.0.0", "--allow-remote")
    _, reach = process.stdout.readline(), process.stdout.readline()
    machine.interrupt(process)
    assert re.fullmatch(
        r"  open to   other machines too, at http://\S+:\d+, unencrypted\. Each caller needs a token: contexten token create NAME\n",
        reach,
    )


def test_a_folder_that_is_not_there_is_refused(machine):
    done = machine("up", "--repo", "nowhere", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "nowhere" in done.stderr


def test_a_terminated_server_ends_well(machine):
    process = machine.start("up", "--port", "0", "--json")
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=150)
    assert (err, process.returncode) == ("", 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.0, 0.5, 0.9, 1.3])
def test_a_server_that_is_only_starting_ends_well(machine, number, seconds):
    """At whatever it is then, once Python has loaded the program: a moment is what this is about."""
    process = machine.start("up", "--port", "0", "--json")
    machine.until(lambda: catches(process, signal.SIGTERM), "the program's own answer to a signal")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(number)
    _, err = process.communicate(timeout=150)
    assert (err, process.returncode) == ("", 0)


def test_a_server_that_stops_says_which_runs_go_on(machine, held_git):
    """And waits for none of them: what an engine computes is done again."""
    machine.extra["PATH"] = held_git.path
    screen = Screen(machine, "up", "--port", "0", columns=100)
    del machine.extra["PATH"]
    try:
        screen.read(until="SQLite")
        number = machine.json("run", held_git.QUESTION, "--no-follow")["id"]
        machine.until(lambda: held_git.is_waited_for, "the engine at work")
        screen.process.send_signal(signal.SIGINT)
        assert f"\nstopping; run {number} goes on at the next start\n" in plain(screen.read())
        assert screen.process.wait(150) == 0
        assert held_git.is_waited_for
    finally:
        screen.close()


def test_the_ready_line_holds_no_token(live):
    token = json.loads((live.data / "credentials.json").read_text())["token"]
    assert token not in json.dumps(live.ready)
    assert set(live.ready) == {
        *("version", "base_url", "data_dir", "database", "runs", "repo", "engines", "organization_id", "metrics_url"),
    }


def test_health_is_open(live):
    with urllib.request.urlopen(f"{live.base_url}/health", timeout=60) as answer:
        assert json.load(answer)["status"] == "ok"


def test_no_process_shows_the_token(live):
    """Neither the server nor a client that talks to it, in what `ps` shows of any process of this user."""
    token = json.loads((live.data / "credentials.json").read_text())["token"]
    client = live.start("run", "Give me an overview")
    shown = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    client.communicate(timeout=150)
    assert "contexten" in shown
    assert token not in shown


def test_the_environment_of_a_client_needs_no_token(live):
    assert "CODEGEN_API_TOKEN" not in live.environment
    assert live.json("org", "list")[0]["id"] == 1
