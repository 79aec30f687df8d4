"""The sandbox: what a command in it can see, change and use up, and that nothing of it outlives its end or the server."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from contexten.engines import bubblewrap, disk, sandbox
from contexten.engines.sandbox import Sandbox
from contexten.errors import EngineUnavailableError
from interpreters import missing
from shop_project import make_project

pytestmark = pytest.mark.anyio
PYTHON = Path(sys.base_prefix, "bin", "python3")
DEADLINE = 150.0
SECRET = "hunter2-of-the-server"


@pytest.fixture(scope="module", autouse=True)
def available():
    state = Sandbox().availability()
    if not state.ready:
        missing(state.detail)


@pytest.fixture
def root(tmp_path):
    return make_project(tmp_path / "work", {"a.txt": "mine\n"})


@pytest.fixture
def run(root):
    """Run a command in the root; what is not said is generous."""

    async def run(command, box=None, **more):
        given = {"root": root, "timeout": DEADLINE, "max_output": 20_000}
        return await (box or Sandbox(readable=[Path(sys.base_prefix)])).run(command, **(given | more))

    return run


@pytest.fixture
def program(run):
    """Run a Python program in the root."""

    async def program(text, **more):
        return await run([str(PYTHON), "-I", "-c", text], **more)

    return program


def living(nap):
    """Processes with a word in their command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if nap.encode() in file.read_bytes() and int(file.parent.name) != os.getpid():
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


def until(condition, what):
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)
    return found


async def test_a_command_works_in_its_root(run, root):
    done = await run("cat a.txt; echo new > b.txt; mkdir d; pwd; echo oops >&2; exit 3")
    assert (done.exit_code, done.output, done.timed_out) == (3, f"mine\n{root}\noops\n", False)
    assert (root / "b.txt").read_text() == "new\n"
    assert (await run(["printf", "%s|", "a b", "$HOME"])).output == "a b|$HOME|"
    assert (await run("kill -9 $$")).exit_code == 137
    assert (await run("nonsense-program")).exit_code == 127


async def test_it_finds_no_secret_of_this_machine(run, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    make_project(tmp_path, {"home/.netrc": SECRET, "data/credentials.json": SECRET})
    box = Sandbox()
    for file in ("home/.netrc", "data/credentials.json"):
        assert (await run(f"cat {tmp_path / file}", box)).exit_code != 0
    places = f"{tmp_path}/home {tmp_path}/data {Path.home()} /root /home/* /var /run /mnt /opt /srv /etc/shadow /sys"
    done = await run(f"env; cat /proc/*/environ /proc/*/cmdline; ls -laR {places}; cat /etc/shadow", box)
    assert SECRET not in done.output
    assert ".netrc" not in done.output
    assert "credentials" not in done.output
    names = (await run("env | cut -d= -f1 | sort")).output.split()
    assert names == ["HOME", "LANG", "PATH", "PWD", "TERM"]
    assert (await run("echo $SHOWN", env={"SHOWN": "yes"})).output == "yes\n"
    assert "yes" not in (await run("tr '\\0' ' ' < /proc/1/cmdline", env={"SHOWN": "yes"})).output


async def test_it_sees_only_its_own_processes(run):
    other = await asyncio.create_subprocess_exec("sleep", new_nap())
    try:
        done = await run(f"ls -d /proc/[0-9]* | wc -l; kill -9 {other.pid}; ls /proc/{os.getpid()}/fd")
        assert int(done.output.split()[0]) < 10
        assert done.exit_code != 0
        assert other.returncode is None
    finally:
        other.kill()
        await other.wait()


CONNECT = """
import socket, sys
for family, address in ((socket.AF_INET, ("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else PORT)),
                        (socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_UNIX, "\\0NAME")):
    try:
        with socket.socket(family) as one:
            one.settimeout(5)
            one.connect(address)
        print("reached", address)
    except OSError as error:
        print("not", type(error).__name__)
"""


async def test_it_has_no_network_not_even_the_servers_own_port(program):
    name = uuid4().hex
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(f"\0{name}")
        local.listen()
        text = CONNECT.replace("PORT", str(server.getsockname()[1])).replace("NAME", name)
        assert "reached" not in (await program(text)).output
        only_here = text.replace('(socket.AF_INET, ("1.1.1.1", 53)), ', "")
        assert "reached ('127.0.0.1'" in (await program(only_here, network=True)).output


async def test_it_writes_nowhere_else(run, root, tmp_path):
    (root / "out").symlink_to(tmp_path)
    kernel = "/proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/1/oom_score_adj"
    write = "for p in {}; do (echo y > $p) 2>/dev/null && echo wrote $p; done"
    assert (await run(write.format(f"/usr/x /etc/x /etc/passwd /bin/x /x /dev/x /home/x /var/x {kernel}"))).output == ""
    await run(write.format("../x out/x /tmp/x /home/agent/x /var/tmp/x /dev/shm/x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["work"]
    assert (await run("ls /tmp /home/agent")).output.split() == ["/home/agent:", "/tmp:", tmp_path.parts[2]]


async def test_folders_are_lent_for_reading_without_what_is_hidden(run, tmp_path):
    make_project(tmp_path / "tools", {"bin/hello": "#!/bin/sh\necho hello\n", "data/token": SECRET})
    (tmp_path / "tools" / "bin" / "hello").chmod(0o755)
    box = Sandbox(readable=[tmp_path / "tools"], hidden=[tmp_path / "tools" / "data"])
    done = await run(f"hello; cat {tmp_path}/tools/data/token; touch {tmp_path}/tools/x", box)
    assert done.output.startswith("hello\n")
    assert SECRET not in done.output
    assert not (tmp_path / "tools" / "x").exists()


async def test_it_gets_no_rights_that_its_user_has_not(run):
    done = await run(
        "grep -E 'CapEff|NoNewPrivs' /proc/self/status; unshare -Ur true && echo inner; chroot / true && echo root"
    )
    assert "CapEff:\t0000000000000000" in done.output
    assert "NoNewPrivs:\t1" in done.output
    assert "inner" not in done.output or "--disable-userns" not in bubblewrap._options(shutil.which("bwrap"))
    assert "\nroot" not in done.output


FORKS = """
import os, signal
children = []
try:
    while len(children) < 5000:
        pid = os.fork()
        if not pid:
            signal.pause()
        children.append(pid)
except OSError as error:
    print("stopped", len(children), flush=True)
"""


async def test_a_fork_bomb_ends_at_the_limit_and_with_the_command(program, run):
    done = await program(FORKS)
    assert done.output.startswith("stopped ")
    assert int(done.output.split()[1]) <= sandbox.MAX_PROCESSES
    assert (await run("echo fine")).output == "fine\n"


async def test_memory_files_and_their_size_are_limited(program, run, root, monkeypatch):
    assert "MemoryError" in (await program("bytearray(8 * 2**30)")).output
    sizes = (await run("df --output=size -B1 /tmp /dev/shm /home/agent | tail -n +2")).output.split()
    assert sizes == [str(2**30)] * 3
    assert (await run("ulimit -n")).output == f"{sandbox.MAX_OPEN_FILES}\n"
    monkeypatch.setattr(sandbox, "MAX_FILE_SIZE", 2**20)
    assert (await run("head -c 3000000 /dev/zero > big")).exit_code != 0
    assert (root / "big").stat().st_size == 2**20


BACKGROUND = "(setsid sleep {nap}) & nohup sh -c 'sleep {nap}; true' & "


def new_nap():
    """A number of seconds, longer than any test, by which its sleepers are known."""
    return f"600.{uuid4().int % 10**12}"


async def test_when_its_time_is_up_all_of_it_is_killed(run):
    for seconds in (2, 8, 32):  # a busy machine needs longer to begin
        nap = new_nap()
        done = await run(f"echo begun; {BACKGROUND.format(nap=nap)} sleep {nap}", timeout=seconds)
        assert (done.timed_out, done.exit_code) == (True, 137)
        until(lambda nap=nap: not living(nap), "the end of all its processes")
        if done.output:
            break
    assert done.output.startswith("begun\n")


async def test_what_it_leaves_in_the_background_ends_with_it(run):
    nap = new_nap()
    done = await run(f"{BACKGROUND.format(nap=nap)} echo done")
    assert (done.exit_code, done.timed_out) == (0, False)
    until(lambda: not living(nap), "the end of all its processes")


async def test_a_cancelled_command_is_killed(run):
    nap, begun = new_nap(), asyncio.Event()
    work = asyncio.create_task(
        run(f"{BACKGROUND.format(nap=nap)} echo begun; sleep {nap}", on_output=lambda _: begun.set())
    )
    await asyncio.wait_for(begun.wait(), DEADLINE)
    assert living(nap)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    until(lambda: not living(nap), "the end of all its processes")


SERVER = """
import asyncio, sys
from pathlib import Path
from contexten.engines.sandbox import Sandbox
work = Sandbox(sys.argv[1]).run(sys.argv[2], root=Path(sys.argv[3]), timeout=600, max_output=100,
                                on_output=lambda text: print(text, flush=True))
asyncio.run(work)
"""


@pytest.mark.parametrize("mode", ["bubblewrap", "none"])
def test_a_killed_server_leaves_no_process(root, mode):
    nap = new_nap()
    more = BACKGROUND.format(nap=nap) if mode == "bubblewrap" else ""
    words = [sys.executable, "-c", SERVER, mode, f"{more} echo begun; exec sleep {nap}", str(root)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout.readline() == "begun\n"
            assert living(nap)
        finally:
            server.send_signal(signal.SIGKILL)
        server.wait()
        until(lambda: not living(nap), "the end of all its processes")


async def test_long_output_is_cut_in_the_middle_but_told_in_full(run):
    told = []
    done = await run("seq 1 100000", max_output=60, on_output=told.append)
    assert done.output.startswith("1\n2\n3\n")
    assert done.output.endswith("99999\n100000\n")
    assert "\n… 588835 characters left out …\n" in done.output
    assert "".join(told).split()[-1] == "100000"
    assert (await run("printf 'caf\\303\\251 \\377'")).output == "café \ufffd"


async def test_many_commands_at_a_time(run):
    done = await asyncio.gather(*(run(f"sleep 0.1; echo {number}") for number in range(8)))
    assert [each.output for each in done] == [f"{number}\n" for number in range(8)]


async def test_without_bubblewrap_nothing_runs(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnavailableError, match="Install it: apt-get install bubblewrap"):
        await run("echo no")


async def test_where_the_system_forbids_it_nothing_runs(run, root, tmp_path, monkeypatch):
    broken = tmp_path / "bin" / "bwrap"
    make_project(
        tmp_path, {"bin/bwrap": "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n"}
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    state = Sandbox().availability()
    assert not state.ready
    assert state.detail.startswith("bubblewrap does not work here: bwrap: No permissions to create a new namespace.")
    assert "CONTEXTEN_SANDBOX=none" in state.detail
    with pytest.raises(EngineUnavailableError, match="No permissions"):
        await run("echo no > ran")
    assert not (root / "ran").exists()


async def test_none_is_the_users_own_choice(run, root, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    box = Sandbox("none")
    assert box.availability().ready
    done = await run("env; cat a.txt; sleep 600 & echo done", box)
    assert done.output.endswith("mine\ndone\n")
    assert SECRET not in done.output
    slow = await run("sleep 600 & sleep 600", box, timeout=0.5)
    assert (slow.timed_out, slow.exit_code) == (True, 137)


def test_it_works_from_another_thread(run):
    """A server inside another command has a thread of its own, at whose end its commands end."""
    found = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(run("echo there"))))
    thread.start()
    thread.join(DEADLINE)
    assert found[0].output == "there\n"


FILL = "i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > part-$i; done"


@pytest.fixture
def small(monkeypatch):
    """A copy that may hold little, looked at often."""
    limits = {"MAX_BYTES": 40_000_000, "MAX_FILES": 200, "STEP": 4_000_000, "STEP_FILES": 20, "LOOK_SECONDS": 0.05}
    for name, value in (limits | {"RECOUNT_SECONDS": 0.5}).items():
        monkeypatch.setattr(disk, name, value)


async def test_a_command_that_fills_the_copy_is_stopped_and_the_next_can_clear_it(run, root, small):
    done = await run(FILL)
    assert (done.timed_out, done.exit_code) == (False, 137)
    assert "may hold 38 MB" in done.full
    held = disk.held_by(root).size
    assert held > 40_000_000
    again = await run(FILL)
    assert "the repository's copy holds" in again.full  # what is over the limit may not grow
    cleared = await run("rm part-* && echo cleared")
    assert (cleared.output, cleared.full) == ("cleared\n", "")
    assert (await run("head -c 20000000 /dev/zero > part")).exit_code == 0


async def test_a_command_that_makes_too_many_files_is_stopped(run, small):
    done = await run("i=0; while :; do i=$((i+1)); : > file-$i; done")
    assert "files, and may hold 200" in done.full


async def test_a_nearly_full_disk_is_not_filled(run, small, monkeypatch):
    """The disk is of the test's making: nobody wants a real one to be full."""
    gigabytes = [8, 8, 2]
    looks = (os.statvfs_result((4096, 4096, 0, 0, size * 2**18, 0, 0, 9, 0, 255)) for size in gigabytes)
    monkeypatch.setattr(disk, "MIN_FREE", 3 * 2**30)
    monkeypatch.setattr(disk.os, "statvfs", lambda _: next(looks))
    done = await run("sleep 600")
    assert done.full == "the disk has only 2048 MB left"


def test_files_are_counted_once_and_links_are_not_followed(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "c").symlink_to("/usr")
    (tmp_path / "d").mkdir()
    held = disk.held_by(tmp_path)
    assert held.files == 4
    assert 100_000 <= held.size < 200_000
