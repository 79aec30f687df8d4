"""How long a person waits: `import contexten`, `contexten --help`, and `contexten up` until `/health` answers.

Each figure is the median of runs paired with their own baseline, so that a busy machine slows both sides alike.
Exits with 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

IMPORT_LIMIT_MS = 60.0
HELP_LIMIT_MS = 200.0
UP_LIMIT_RATIO = 1.5
UP_DEADLINE_S = 60.0

PROGRAM = str(Path(sys.executable).with_name("contexten"))

# The modules of other people's packages that a started server has loaded, in the order in which it loaded them.
LOADED_BY_SERVER = """
import json, sys, tempfile
from pathlib import Path
import contexten.cli.call, contexten.cli.up, contexten.cli.banner
from contexten.settings import ServerSettings
from contexten.server.serve import Embedded
from contexten.telemetry.logs import configure_logging
configure_logging("WARNING")
folder = Path(sys.argv[1])
with Embedded(ServerSettings(CONTEXTEN_DATA_DIR=folder / "data", CONTEXTEN_REPO=folder)):
    outside = [name for name, module in list(sys.modules.items())
               if "site-packages" in (getattr(module, "__file__", None) or "") and not name.startswith("_")]
print(json.dumps([name for name in outside if name.partition(".")[0] != "contexten"]))
"""
IMPORT_THEM = """
import importlib, json, sys
for name in json.load(open(sys.argv[1])):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
"""


def main() -> int:
    """Measure, print the table, and say whether every limit holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="pairs of runs for each figure")
    rounds = parser.parse_args().rounds
    bare, imported = pairs(["-c", "pass"], ["-c", "import contexten"], rounds)
    help_ms = statistics.median(timed([PROGRAM, "--help"]) for _ in range(rounds)) * 1000
    dependencies, up, ratio = start_of_server(rounds)
    rows = [
        ("import contexten, over bare Python", (imported - bare) * 1000, IMPORT_LIMIT_MS, "ms"),
        ("contexten --help", help_ms, HELP_LIMIT_MS, "ms"),
        ("contexten up to /health, over its dependencies' import", ratio, UP_LIMIT_RATIO, "x"),
    ]
    for name, value, limit, unit in rows:
        print(f"{name:<56}{value:8.2f} {unit:<3} limit {limit:g} {unit:<3} {'ok' if value <= limit else 'MISSED'}")
    print(f"(bare Python {bare * 1000:.0f} ms, dependencies {dependencies * 1000:.0f} ms, up {up * 1000:.0f} ms)")
    return int(any(value > limit for _, value, limit, _ in rows))


def pairs(baseline: list[str], subject: list[str], rounds: int) -> tuple[float, float]:
    """Median seconds of two Python programs, run in turn."""
    taken = [(timed([sys.executable, *baseline]), timed([sys.executable, *subject])) for _ in range(rounds)]
    return statistics.median(first for first, _ in taken), statistics.median(second for _, second in taken)


def start_of_server(rounds: int) -> tuple[float, float, float]:
    """Median seconds of importing a server's dependencies, of its way to the first answer, and median of their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = folder / "modules.json"
        names.write_bytes(subprocess.check_output([sys.executable, "-c", LOADED_BY_SERVER, str(folder)], cwd=folder))
        taken = [
            (timed([sys.executable, "-c", IMPORT_THEM, str(names)]), seconds_to_health(folder / f"data-{number}"))
            for number in range(rounds)
        ]
    imports, starts = zip(*taken, strict=True)
    ratios = [start / imported for imported, start in taken]
    return statistics.median(imports), statistics.median(starts), statistics.median(ratios)


def seconds_to_health(data: Path) -> float:
    """Seconds from starting `contexten up` on an empty data folder to the answer of `/health`."""
    project = data.with_suffix(".project")
    project.mkdir()
    port = free_port()
    environment = os.environ | {"CONTEXTEN_DATA_DIR": str(data), "CONTEXTEN_CACHE_DIR": str(data / "cache")}
    started = time.perf_counter()
    process = subprocess.Popen(
        [PROGRAM, "up", "--port", str(port)], cwd=project, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while not healthy(port):
            if process.poll() is not None or time.perf_counter() - started > UP_DEADLINE_S:
                raise RuntimeError("contexten up did not answer")
            time.sleep(0.005)
        return time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(UP_DEADLINE_S)


def healthy(port: int) -> bool:
    """Whether the server on a port says that it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return json.load(answer)["status"] == "ok"
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_port() -> int:
    """A port that nothing listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def timed(command: list[str]) -> float:
    """Seconds that a program takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
