"""Trying new code: what a trial finds, and what the code it tries can see."""

import time
from pathlib import Path

import pytest

from contexten.autogenlib.trial import failures_of
from contexten.engines.sandbox import Sandbox
from interpreters import missing


@pytest.mark.parametrize("walls", [True, False])
def test_a_trial_runs_doctests_within_limits(tmp_path, walls):
    assert (
        failures_of('def f():\n    """\n    >>> f()\n    1\n    """\n    return 1\n', "web.m", [], walls=walls) is None
    )
    assert "Expected:" in failures_of(
        'def f():\n    """\n    >>> f()\n    2\n    """\n    return 1\n', "m", [], walls=walls
    )
    assert "ZeroDivisionError" in failures_of("x = 1 // 0\n", "m", [], walls=walls)
    assert "MemoryError" in failures_of("x = bytearray(3 * 2**30)\n", "m", [], walls=walls)
    assert "did not end" in failures_of("while True: pass\n", "m", [], 1, walls=walls)
    assert "failed" in failures_of("while True: print('x' * 1000)\n", "m", [], walls=walls)
    (tmp_path / "mine.py").write_text("x = 1\n")
    assert failures_of("from mine import x\n", "m", [tmp_path], walls=walls) is None


def test_a_trial_in_the_sandbox_sees_nothing_of_the_machine(tmp_path):
    state = Sandbox().availability()
    if not state.ready:
        missing(state.detail)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "here.py").write_text("x = 1\n")
    (tmp_path / "mine" / "kept").mkdir()
    (tmp_path / "mine" / "kept" / "token").write_text("secret")
    (tmp_path / "mine" / ".env").write_text("TOKEN=secret")
    (tmp_path / "mine" / ".ssh").mkdir()
    (tmp_path / "mine" / ".ssh" / "id").write_text("secret")
    (tmp_path / "mine" / ".gone").symlink_to("nowhere")
    paths, hidden = [tmp_path / "mine"], [tmp_path / "mine" / "kept"]
    told = failures_of(
        "import here, os, pathlib, socket\n"
        f"print(os.path.exists({str(tmp_path / 'secret')!r}), list(pathlib.Path({str(hidden[0])!r}).iterdir()))\n"
        "place = pathlib.Path(here.__file__).parent\nprint([*(place / '.ssh').iterdir()])\n"
        "try:\n    print(f'read {(place / \".env\").read_text()!r}')\nexcept OSError:\n    print('read nothing')\n"
        "with socket.socket() as one:\n    print(one.connect_ex(('127.0.0.1', 9)), [n for _, n in socket.if_nameindex()])\n"
        "pathlib.Path(here.__file__).write_text('y = 2')\n",
        "m",
        paths,
        hidden=hidden,
    )
    assert told is not None
    assert "False []" in told
    assert "[]\nread nothing\n" in told or "[]\nread ''\n" in told
    assert "['lo']" in told
    assert "Read-only file system" in told


def test_a_trial_sees_no_secret_and_leaves_nothing_running(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEGEN_API_TOKEN", "secret")
    mark = tmp_path / "pid"
    code = (
        "import os, subprocess, sys\nassert 'CODEGEN_API_TOKEN' not in os.environ\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n"
    )
    assert failures_of(code, "m", [], walls=False) is None
    deadline = time.monotonic() + 150
    while _runs(int(mark.read_text())):
        assert time.monotonic() < deadline


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
