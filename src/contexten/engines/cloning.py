"""Fetching a repository from a git address into a folder of the server's own."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from contexten.engines import git
from contexten.engines.locations import name_of, validate_location
from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Coroutine

CLONE_SECONDS = 900.0


_under_way: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()
"""A lock for each folder that a clone is being made in, so that none is made twice at once."""


async def clone(url: str, into: Path, *, whose: int = 0, seconds: float = CLONE_SECONDS) -> Path:
    """The folder in `into` that has the clone of a git address; made when it is not there yet.

    It is named after the repository and the address, so that workers on machines of their own mean the same by it. Nothing
    is left behind when it fails or is cancelled. Hooks, templates and submodules are off; git asks for nothing.

    Args:
        url: the address.
        into: where clones are.
        whose: organization, each of which has a clone of its own.
        seconds: how long it may take.

    Raises:
        UsageError: the address is not one that `validate_location` accepts.
        EngineError: git is missing, the address cannot be cloned, or it took longer than `seconds`.
    """
    address = validate_location(url)
    if isinstance(address, Path):
        raise UsageError("This is a folder of this machine: it is used where it is, not cloned.")
    folder = into / f"{name_of(address)}-{hashlib.sha256(f'{whose} {address}'.encode()).hexdigest()[:8]}"
    async with _under_way.setdefault(folder, asyncio.Lock()):
        if not await asyncio.to_thread(folder.is_dir):
            await _make(address, folder, seconds)
    return folder


async def _make(address: str, folder: Path, seconds: float) -> None:
    await asyncio.to_thread(folder.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    partial = folder.with_name(f".partial-{secrets.token_hex(8)}")
    try:
        await _fetch(address, partial, seconds)
        _settle(partial, folder)  # at once: a cancellation comes before it or not at all
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


def _settle(partial: Path, folder: Path) -> None:
    """Give the finished clone its name, unless another process that shares the folder was first."""
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(partial, ignore_errors=True)
