"""Event streams: what a subscriber of the hub sees as server-sent events.

Source of the form: the HTML standard, section 9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from starlette.responses import Response

from contexten.errors import StoreError
from contexten.protocol import LogEvent, StatusEvent, is_terminal
from contexten.server.live.hub import Subscription
from contexten.server.ports import STUCK_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

    from contexten.protocol import LiveEvent, PartialEvent
    from contexten.server.live.hub import Delivery, Hub
    from contexten.server.store import Store
    from contexten.server.store.records import Identity, RunRecord

_LOG = logging.getLogger("contexten.server.live")
_OPENING = b"retry: 1000\n\n"
_HEARTBEAT = b": still here\n\n"
_TRUST_SECONDS = 1.0
"""How long a token that was looked up is taken for good: a revoked one sees nothing that is said later."""
_PART = 64 * 1024


@dataclass(slots=True)
class Watch:
    """One open stream: who watches, and how often that is looked at again.

    Args:
        store: where the token is looked up.
        hub: who feeds the stream.
        identity: whom the token acts for.
        secret: the token; it may be revoked while the stream is open.
        heartbeat: seconds after which a comment is sent at the latest.
        kinds: events to send, such as `log`; None sends all but `partial`.
    """

    store: Store
    hub: Hub
    identity: Identity
    secret: str
    heartbeat: float
    kinds: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"<Watch of token {self.identity.token_id}>"

    async def organization(self, after: int) -> AsyncGenerator[bytes, None]:
        """Frames of all events of the organization after the event `after`.

        The first, `open`, has that event's id: a client that is cut off before anything happens knows where it was.
        """
        after = await self._reached(after)
        yield f"event: open\nid: {after}\ndata: {{}}\n\n".encode()
        with self._subscription(None, after) as subscription:
            async for batch in self._batches(subscription):
                yield self._frames(batch)

    async def run(self, run: RunRecord, after: int) -> AsyncGenerator[bytes, None]:
        """Frames of all events of a run after the event `after`; ends when the run has ended and all was sent.

        Args:
            run: as it was read before this call: what has happened by then is in the store.
            after: id of the last event that the client has seen; 0 for none.
        """
        after = await self._reached(after)
        progress = _Progress(run.turn, is_terminal(run.status))
        with self._subscription(run.id, after) as subscription:
            async for batch in self._batches(subscription):
                for delivery in batch:
                    progress.note(delivery.event)
                yield self._frames(batch)
                if progress.ended and subscription.caught_up:
                    return

    def _subscription(self, run_id: int | None, after: int) -> Subscription:
        partial = self.kinds is not None and "partial" in self.kinds
        return Subscription(self.hub, self.identity.organization_id, run_id, after, partial=partial)

    async def _reached(self, after: int) -> int:
        """`after`, or the newest event when that lies ahead of it: everything that comes is then news."""
        return min(after, await self.store.events.last_id()) if after else 0

    async def _batches(self, subscription: Subscription) -> AsyncGenerator[list[Delivery], None]:
        """Batches until the hub closes, the token is revoked or the store fails; empty ones are heartbeats."""
        clock = asyncio.get_running_loop().time
        known = spoken = clock()
        try:
            while (batch := await subscription.batch(self.heartbeat)) is not None:
                if clock() - known >= min(self.heartbeat, _TRUST_SECONDS):
                    if await self.store.people.identify(self.secret) is None:
                        return
                    known = clock()
                yield batch
                if batch and clock() - spoken >= self.heartbeat:  # all of it may be of kinds that are not wanted
                    spoken = clock()
                    yield []
        except StoreError as error:
            _LOG.warning("an event stream ends, its client will come back: %s", error)

    def _frames(self, batch: list[Delivery]) -> bytes:
        wanted = (each.frame for each in batch if self.kinds is None or each.event.event in self.kinds)
        return b"".join(wanted) if batch else _HEARTBEAT


@dataclass(slots=True)
class _Progress:
    """Whether a run has ended, as far as its events tell."""

    turn: int
    ended: bool

    def note(self, event: LiveEvent | PartialEvent) -> None:
        if not isinstance(event, LogEvent | StatusEvent):
            return
        if event.turn > self.turn:
            self.turn, self.ended = event.turn, False
        if event.event == "status" and event.turn == self.turn:
            self.ended = is_terminal(event.status)


class EventStream(Response):
    """Sends frames as they come. Ends with them, with the client, or with a client that takes nothing for a minute."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._source = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Answer one request (ASGI)."""
        async with aclosing(self._source), anyio.create_task_group() as tasks:
            tasks.start_soon(self._until_gone, receive, tasks.cancel_scope)
            await self._send_all(send)
            tasks.cancel_scope.cancel()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await _send_parts(send, _OPENING)
            async for frames in self._source:
                await _send_parts(send, frames)
        except TimeoutError:
            _LOG.info("an event stream ends: its client took nothing for %.0f s", STUCK_SECONDS)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    @staticmethod
    async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


async def _send_parts(send: Send, frames: bytes) -> None:
    """Send in parts, each of which waits for the ones before it: the connection takes any length, and keeps it."""
    for start in range(0, len(frames), _PART):
        with anyio.fail_after(STUCK_SECONDS):
            await send({"type": "http.response.body", "body": frames[start : start + _PART], "more_body": True})
