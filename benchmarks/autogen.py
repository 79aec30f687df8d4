"""Code generated at import: how long a person waits, how often a model is asked, and what a thousand at once do.

The engine answers at once, so what is measured is everything but the model. Exits with 1 when a limit is missed.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contexten.autogenlib import AutogenClient, AutogenConfig, BatchGenerator, CallerContext, GenerationRequest, Project
from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import RunStatus
from contexten.server.serve import Embedded
from contexten.settings import ServerSettings

CACHED_LIMIT_MS = 150.0
NEW_LIMIT_MS = 2000.0
HITS_LIMIT = 0.80
KEYS, CONCURRENT, REQUESTS = 8, 1000, 400

CODE = '''```python
import secrets


def generate_token(length: int = 32) -> str:
    """A random token.

    >>> len(generate_token(4))
    4
    """
    return secrets.token_hex(length)[:length]
```'''
IMPORT = """
import time
started = time.perf_counter()
from contexten.autogen.tokens import generate_token
print(time.perf_counter() - started)
assert len(generate_token()) == 32
"""


class Instant:
    """An engine whose model takes no time."""

    name = "instant"
    concurrency = None
    asked = 0

    def availability(self) -> Availability:
        """Always ready."""
        return Availability(ready=True)

    async def run(self, task: object, journal: object) -> Outcome:
        """Answer."""
        del task, journal
        self.asked += 1
        return Outcome(RunStatus.COMPLETE, CODE)


def main() -> int:
    """Measure, print the table, and say whether every limit holds."""
    with tempfile.TemporaryDirectory() as folder:
        home, engine = Path(folder), Instant()
        project = home / "shop"
        (project / "shop").mkdir(parents=True)
        (project / "pyproject.toml").write_text('[project]\nname = "shop"\n')
        (project / "shop" / "__init__.py").write_text('"""A shop."""\n')
        settings = ServerSettings(
            _env_file=None, CONTEXTEN_DATA_DIR=home / "data", CONTEXTEN_REPO=project, CONTEXTEN_ENGINE="instant"
        )
        with Embedded(settings, engines=Engines([engine])) as server:
            os.environ.update(
                CODEGEN_API_TOKEN=server.token, CODEGEN_ORG_ID=str(server.organization_id), CODEGEN_BASE_URL=server.base_url,
                CONTEXTEN_AUTOGEN_ENGINE="instant", CONTEXTEN_DATA_DIR=str(home / "mine"), CONTEXTEN_CACHE_DIR=str(home / "cache"),
                CONTEXTEN_AUTOGEN_MAX_GENERATIONS="100000",
            )  # fmt: skip
            config = AutogenConfig(codebase_path=project)
            rows = [imports(project, config), *asyncio.run(requests(config, engine))]
    for name, value, limit, unit, ok in rows:
        print(f"{name:<72}{value:9.2f} {unit:<4} limit {limit:g} {unit:<4} {'ok' if ok else 'MISSED'}")
    return int(not all(ok for *_, ok in rows))


Row = tuple[str, float, float, str, bool]


def imports(project: Path, config: AutogenConfig) -> Row:
    """The import of a locked module in a new process, everything that it loads included."""
    Project(config=config).ask(GenerationRequest("tokens", "generate_token"))
    program = project / "program.py"
    program.write_text(IMPORT)
    environment = {**os.environ, "CONTEXTEN_AUTOGEN": "locked"}
    taken = [
        float(
            subprocess.run(
                [sys.executable, program], env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(9)
    ]
    value = statistics.median(taken) * 1000
    return "import of a locked module, in a new process", value, CACHED_LIMIT_MS, "ms", value <= CACHED_LIMIT_MS


async def requests(config: AutogenConfig, engine: Instant) -> list[Row]:
    """Generations: new, cached, repeated and a thousand at once."""
    new = await timed_new(config)
    kept = await timed_kept(config)
    hits = await hits_of_repeats(config)
    asked, seconds = await at_once(config, engine)
    return [
        (
            "a new generation beyond the model's time: gate, ruff, trial, run",
            new,
            NEW_LIMIT_MS,
            "ms",
            new <= NEW_LIMIT_MS,
        ),
        ("a generation that the cache has, in a new client", kept, CACHED_LIMIT_MS, "ms", kept <= CACHED_LIMIT_MS),
        (
            f"share of {REQUESTS} repeated requests for 40 names that the cache answered",
            hits,
            HITS_LIMIT,
            "",
            hits >= HITS_LIMIT,
        ),
        (f"{CONCURRENT} requests at once for {KEYS} names: times the model was asked", asked, KEYS, "", asked == KEYS),
        (f"{CONCURRENT} requests at once for {KEYS} names: wall", seconds, 30.0, "s", seconds <= 30),
    ]


async def timed_new(config: AutogenConfig) -> float:
    """Median milliseconds of new generations, after a first one."""
    taken = []
    async with AutogenClient(config=config) as client:
        for number in range(6):
            started = time.perf_counter()
            made = await client.generate_code(
                f"new_{number}", "generate_token", CallerContext(usage_example="generate_token(8)")
            )
            taken.append(time.perf_counter() - started)
            assert not made.metadata["cached"]
    return statistics.median(taken[1:]) * 1000


async def timed_kept(config: AutogenConfig) -> float:
    """Median milliseconds of what a client before has generated."""
    taken = []
    for number in range(6):
        async with AutogenClient(config=config) as client:
            started = time.perf_counter()
            made = await client.generate_code(
                f"new_{number}", "generate_token", CallerContext(usage_example="generate_token(8)")
            )
            taken.append(time.perf_counter() - started)
            assert made.metadata["cached"]
    return statistics.median(taken) * 1000


async def hits_of_repeats(config: AutogenConfig) -> float:
    """Share of requests that asked nobody, when few names are wanted often."""
    drawn = random.Random(1)  # noqa: S311 - the same draws each time are the point
    names = [f"repeat_{int(drawn.paretovariate(0.8)) % 40}" for _ in range(REQUESTS)]
    async with AutogenClient(config=config) as client:
        made = await BatchGenerator(client, max_concurrent=8).generate_batch(
            [GenerationRequest(name, "generate_token") for name in names]
        )
        assert not any(isinstance(each, Exception) for each in made)
        return client.cache_manager.statistics().hit_rate


async def at_once(config: AutogenConfig, engine: Instant) -> tuple[int, float]:
    """How often the engine was asked, and the seconds that it took."""
    before, started = engine.asked, time.perf_counter()
    async with AutogenClient(config=config) as client:
        wanted = [GenerationRequest(f"once_{number % KEYS}", "generate_token") for number in range(CONCURRENT)]
        made = await BatchGenerator(client, max_concurrent=CONCURRENT).generate_batch(wanted)
    assert not any(isinstance(each, Exception) for each in made)
    return engine.asked - before, time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
