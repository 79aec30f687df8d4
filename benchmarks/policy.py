"""What a call that succeeds pays for being protected: our whole policy, beside the retry of stamina alone.

    uv run python benchmarks/policy.py

The policy asks the circuit breaker, counts the attempts and watches the deadline; stamina, a well-kept library for retries,
does the counting alone. Target: at most 20 µs of processor time per call, for threads and for tasks. The median of seven
rounds, the three taken in turn. Ends with 1 when the target is missed.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

import stamina

from contexten.resilience import Breaker, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, CALLS, MOST_US = 7, 20_000, 20.0

policy = Policy(breaker=Breaker())


def attempt(_left: float | None) -> int:
    """The call itself, which costs nothing."""
    return 1


async def aattempt(_left: float | None) -> int:
    """The same, awaited."""
    return 1


def bare() -> None:
    """No protection."""
    for _ in range(CALLS):
        attempt(None)


def ours() -> None:
    """Our policy."""
    for _ in range(CALLS):
        policy.call(attempt, key="host", deadline=60)


async def abare() -> None:
    """No protection, awaited."""
    for _ in range(CALLS):
        await aattempt(None)


async def aours() -> None:
    """Our policy, awaited."""
    for _ in range(CALLS):
        await policy.acall(aattempt, key="host", deadline=60)


def theirs() -> None:
    """Stamina's retry."""
    for _ in range(CALLS):
        for each in stamina.retry_context(on=ValueError, attempts=3, timeout=60):
            with each:
                attempt(None)


async def atheirs() -> None:
    """Stamina's retry, awaited."""
    for _ in range(CALLS):
        async for each in stamina.retry_context(on=ValueError, attempts=3, timeout=60):
            with each:
                await aattempt(None)


SIDES: dict[str, Callable[[], None]] = {
    "bare": bare,
    "policy": ours,
    "stamina's retry alone": theirs,
    "bare, awaited": lambda: asyncio.run(abare()),
    "policy, awaited": lambda: asyncio.run(aours()),
    "stamina's retry alone, awaited": lambda: asyncio.run(atheirs()),
}


def main() -> int:
    """Measure and print; whether the target is met."""
    spent: dict[str, list[float]] = {name: [] for name in SIDES}
    for _ in range(ROUNDS):
        for name, work in SIDES.items():
            began = time.process_time()
            work()
            spent[name].append((time.process_time() - began) / CALLS * 1e6)
    cost = {name: statistics.median(rounds) for name, rounds in spent.items()}
    added = {name: cost[name] - cost["bare, awaited" if "awaited" in name else "bare"] for name in SIDES}
    for name in ("policy", "stamina's retry alone", "policy, awaited", "stamina's retry alone, awaited"):
        print(f"{name:<32} {added[name]:6.1f} µs" + (f" (target <= {MOST_US:g})" if name.startswith("policy") else ""))
    return 0 if max(added["policy"], added["policy, awaited"]) <= MOST_US else 1


if __name__ == "__main__":
    raise SystemExit(main())
