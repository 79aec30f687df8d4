"""What the programs that a test kills have in common: they open the store of the settings, and say how far they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contexten.server.store import Store
from contexten.settings import ServerSettings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable


def say(*words: object) -> None:
    print(*words, flush=True)


def serve(
    work: Callable[[Store, ServerSettings, argparse.Namespace], Awaitable[None]], order: argparse.Namespace
) -> None:
    """Do the work with a store in which there are people and a repository."""
    settings = ServerSettings(_env_file=None)
    settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    store = Store.open(settings)

    async def begin() -> None:
        await store.people.first_start()
        if await store.repos.first(1) is None:
            await store.repos.add(1, path=str(settings.data_dir), name="data")
        await work(store, settings, order)

    try:
        asyncio.run(begin())
    finally:
        store.close()
