"""The program, loaded once and forked for each command: a test pays for what a command does, not for loading it again.

As a script it is that loaded program. It takes, on the socket that is its standard input, three files for the standard
streams of a command and a socket, by which it is told what to do and tells the exit code.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from importlib import import_module
from io import TextIOWrapper
from pkgutil import iter_modules

HEAVY = "contexten.server.app", "contexten.server.store", "dbos", "httpx2", "uvicorn", "uvloop"
WITH_ALL_PARTS = "contexten.cli", "contexten.client", "contexten.engines.analyst", "contexten.server.queue"


class WarmProgram:
    """The loaded program. Each command is a process that has what it is given here and nothing else of its caller."""

    def __init__(self, asking: socket.socket) -> None:
        self._asking = asking

    def __call__(self, words, *, cwd, env, timeout, input=""):  # noqa: A002 - as `subprocess.run` calls it
        """Do one command to its end."""
        order = json.dumps({"words": [str(word) for word in words], "cwd": str(cwd), "env": env})
        with ExitStack() as stack:
            streams = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            streams[0].write(input.encode())
            streams[0].seek(0)
            ours, theirs = map(stack.enter_context, socket.socketpair())
            with theirs:
                socket.send_fds(self._asking, [b"!"], [theirs.fileno(), *(each.fileno() for each in streams)])
            ours.settimeout(timeout)
            ours.sendall(order.encode())
            ours.shutdown(socket.SHUT_WR)
            code = int(ours.recv(16))
            out, err = (file.seek(0) or file.read().decode() for file in streams[1:])
        return subprocess.CompletedProcess(words, code, out, err)


@contextmanager
def warm_program(environment):
    """The loaded program while the body runs."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            words = [sys.executable, __file__]
            process = subprocess.Popen(words, stdin=theirs, env=environment, start_new_session=True)
        try:
            yield WarmProgram(ours)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def serve() -> None:
    """Do what is asked until nobody is there to ask."""
    load()
    asked = socket.socket(fileno=0)
    while files := socket.recv_fds(asked, 1, 4)[1]:
        if os.fork() == 0:
            watch(*files)
        for each in files:
            os.close(each)
        reap()


def load() -> None:
    for name in (*HEAVY, *WITH_ALL_PARTS):
        package = import_module(name)
        for part in iter_modules(package.__path__, f"{name}.") if name in WITH_ALL_PARTS else ():
            import_module(part.name)
    assert "contexten.server.serve" not in sys.modules, "a program in which a server was ends in a way of its own"
    assert threading.active_count() == 1


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def watch(telling: int, *streams: int) -> None:
    """Do a command in a process of its own, tell its exit code, and end."""
    with socket.socket(fileno=telling) as caller:
        command = os.fork()
        if command == 0:
            become(json.loads(caller.makefile("rb").read()), streams)
        _, status = os.waitpid(command, 0)
        caller.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become(order, streams) -> None:
    """Be the program as if it had been started now, to its end."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 100)
    sys.stdin = TextIOWrapper(os.fdopen(0, "rb"), encoding="utf-8")
    sys.stdout = TextIOWrapper(os.fdopen(1, "wb"), encoding="utf-8")
    sys.stderr = TextIOWrapper(os.fdopen(2, "wb"), encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv = ["contexten", *order["words"]]
    code = 1
    try:
        from contexten.cli import main

        code = main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - an interpreter shows whatever is raised
        sys.excepthook(*sys.exc_info())
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
