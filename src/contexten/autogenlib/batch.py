"""Many generations at a time, and one of which is told as it goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from contexten.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from contexten.autogenlib.generator import AutogenClient
    from contexten.autogenlib.request import GeneratedCode, GenerationRequest


class BatchGenerator:
    """Does many generations, so many at a time.

    Args:
        client: what asks.
        max_concurrent: generations under way at a time, at least 1.
    """

    def __init__(self, client: AutogenClient, max_concurrent: int = 5) -> None:
        if max_concurrent < 1:
            raise UsageError(f"max_concurrent must be >= 1, got {max_concurrent}")
        self._client, self._room = client, max_concurrent

    async def generate_batch(self, requests: Sequence[GenerationRequest]) -> list[GeneratedCode | Exception]:
        """The code of each request, in their order; where there is none, the reason."""
        room = asyncio.Semaphore(self._room)

        async def one(request: GenerationRequest) -> GeneratedCode:
            async with room:
                return await self._client.agenerate(request)

        outcomes = await asyncio.gather(*(one(request) for request in requests), return_exceptions=True)
        found: list[GeneratedCode | Exception] = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
                raise outcome
            found.append(outcome)
        return found


class StreamingGenerator:
    """Tells of a generation as it goes.

    Args:
        client: what asks.
    """

    def __init__(self, client: AutogenClient) -> None:
        self._client = client

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[dict[str, Any]]:
        """What happens, each with a `type`: `asked`, `progress`, `refused`, and at the end `complete` with the `code`.

        Raises:
            ContextenError: there is no code.
        """
        news: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        work = asyncio.create_task(self._client.agenerate(request, told=news.put_nowait))
        work.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (happened := await news.get()) is not None:
                yield happened
            made = await work
            yield {"type": "complete", "code": made.code, "metadata": made.metadata, "usage_info": made.usage_info}
        finally:
            work.cancel()
            await asyncio.wait([work])
