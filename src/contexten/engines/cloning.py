"""Fetching a repository from a git address into a folder of the server's own."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.engines import git
from contexten.engines.locations import name_of, validate_location
from contexten.errors import EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine

CLONE_SECONDS = 900.0


async def clone(url: str, into: Path, *, seconds: float = CLONE_SECONDS) -> Path:
    """Clone a git address into a new folder inside `into`, named after the repository, and return that folder.

    Nothing is left behind when it fails or is cancelled. Hooks, templates and submodules are off; git asks for nothing.

    Raises:
        UsageError: the address is not one that `validate_location` accepts.
        EngineError: git is missing, the address cannot be cloned, or it took longer than `seconds`.
    """
    address = validate_location(url)
    if isinstance(address, Path):
        raise UsageError("This is a folder of this machine: it is used where it is, not cloned.")
    await asyncio.to_thread(into.mkdir, mode=0o700, parents=True, exist_ok=True)
    partial = into / f".partial-{secrets.token_hex(8)}"
    try:
        await _fetch(address, partial, seconds)
        return _settle(partial, into, name_of(address))  # at once: a cancellation comes before it or not at all
    except BaseException:
        await git.unstoppable(asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True))
        raise


def _fetch(address: str, into: Path, seconds: float) -> Coroutine[None, None, None]:
    return git.transfer(
        *("clone", "--quiet", "--no-recurse-submodules", "--template=", "--origin=origin"),
        *("--", address, str(into)),
        protocols="file" if address.startswith("file:") else "https:ssh",
        seconds=seconds,
    )


def _settle(partial: Path, into: Path, name: str) -> Path:
    """Give the finished clone its name; a number is added when the name is taken."""
    for number in range(1, 1000):
        target = into / (name if number == 1 else f"{name}-{number}")
        if not target.exists():
            try:
                partial.rename(target)
            except OSError:
                continue
            return target
    raise EngineError(f"There are too many folders named {name} in {into}.")
