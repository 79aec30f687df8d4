"""An interpreter that has loaded a module once and forks itself for each program: loading `codegen` takes most of a second."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager

FORKING = """
import atexit, importlib, json, os, sys, threading, traceback

def be(program, variables, output):
    os.environ.update(variables)
    for stream in (1, 2):
        os.dup2(os.open(output, os.O_WRONLY | os.O_APPEND), stream)
    code = 0
    try:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
    except BaseException:
        code = 1
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)

importlib.import_module(sys.argv[1])
assert threading.active_count() == 1
while line := sys.stdin.readline():
    child = os.fork()
    if child == 0:
        be(**json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@contextmanager
def loaded_interpreter(environment, module):
    """Gives what runs a program in such an interpreter of an environment, and what it prints; it must succeed."""
    output = environment.root / "output"
    process = subprocess.Popen(
        [environment.python, "-c", FORKING, module],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment.variables(), cwd=environment.root,
    )  # fmt: skip

    def run(program: str, **variables: str) -> str:
        output.write_text("")
        print(
            json.dumps({"program": program, "variables": variables, "output": str(output)}),
            file=process.stdin,
            flush=True,
        )
        code = process.stdout.readline().strip()
        said = output.read_text()
        assert code == "0", said
        return said

    with process:
        yield run
        process.stdin.close()
    output.unlink()
