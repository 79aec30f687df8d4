"""The hub: one reader of the store's events, woken by each commit, that feeds every subscriber.

Nothing is lost or doubled because event ids are in commit order. A subscriber is on the list before it reads what it
missed, so whatever that reading does not show comes from the tail, and what both show is told apart by its id. One
that does not keep up is not waited for: what was kept for it is dropped and it reads on from the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from contexten.errors import StoreError
from contexten.protocol import LogEvent, PartialEvent, StatusEvent

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from contexten.protocol import LiveEvent
    from contexten.server.store import Store

_LOG = logging.getLogger("contexten.server.live")
PAGE = 200
BACKLOG = 1000
"""Events kept for a subscriber that is slow, at most."""
PAGE_BYTES = 256 * 1024
"""What ends a page of events early: each slow subscriber holds one."""
BACKLOG_BYTES = 1024 * 1024
"""Length of the events kept for a subscriber that is slow, at which no more are."""
POLL_SECONDS = 2.0
"""How long the tail waits for word of a commit before it looks by itself."""


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a subscriber; its text is made once, for all of them."""

    event: LiveEvent | PartialEvent

    @cached_property
    def frame(self) -> bytes:
        """The event in the form of a server-sent event."""
        event = self.event
        number = "" if isinstance(event, PartialEvent) else f"id: {event.id}\n"
        return f"event: {event.event}\n{number}data: {event.model_dump_json()}\n\n".encode()


class Hub:
    """Feeds events to subscribers. Used as an async context manager; leaving it ends every subscription."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_run: dict[int, set[Subscription]] = {}
        self._by_organization: dict[int, set[Subscription]] = {}
        self._seen = 0
        self._newest = 0
        self._wake = asyncio.Event()
        self.closed = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._seen = self._newest = await self._store.events.last_id()
        self._store.on_commit(self._committed)
        self._tail_task = asyncio.create_task(self._tail(), name="live tail")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._tail_task.cancel()
        await asyncio.gather(self._tail_task, return_exceptions=True)

    def close(self) -> None:
        """End every subscription; each gives out what it has and then stops."""
        self.closed = True
        for subscription in self._subscriptions():
            subscription.wake()

    async def read(self, subscription: Subscription) -> tuple[list[Delivery], bool]:
        """A page of what a subscriber has not seen, from the store, and whether there may be more."""
        page = await self._store.events.after(
            subscription.cursor,
            organization_id=subscription.organization_id,
            run_id=subscription.run_id,
            limit=PAGE,
            size=PAGE_BYTES,
        )
        deliveries = [Delivery(event) for _, event in page]
        return deliveries, len(page) == PAGE or sum(len(each.frame) for each in deliveries) >= PAGE_BYTES

    def say(self, organization_id: int, event: PartialEvent) -> None:
        """Show text that is still being said to whoever asked for such; nothing keeps it."""
        delivery = Delivery(event)
        for subscription in self._watchers(organization_id, event):
            subscription.show(event.agent_run_id, delivery)

    def add(self, subscription: Subscription) -> None:
        """Feed a subscription from now on."""
        if not self.watched:
            self._seen = max(self._seen, self._newest)
        self._room_of(subscription).add(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Stop feeding a subscription and forget it."""
        rooms, key = self._place_of(subscription)
        rooms[key].discard(subscription)
        if not rooms[key]:
            del rooms[key]

    @property
    def watched(self) -> bool:
        """Whether there is any subscription."""
        return bool(self._by_run or self._by_organization)

    def _place_of(self, subscription: Subscription) -> tuple[dict[int, set[Subscription]], int]:
        if subscription.run_id is not None:
            return self._by_run, subscription.run_id
        return self._by_organization, subscription.organization_id

    def _room_of(self, subscription: Subscription) -> set[Subscription]:
        rooms, key = self._place_of(subscription)
        return rooms.setdefault(key, set())

    def _subscriptions(self) -> list[Subscription]:
        rooms = [*self._by_run.values(), *self._by_organization.values()]
        return [subscription for room in rooms for subscription in room]

    def _committed(self, newest: int) -> None:
        """Called from a thread of the store."""
        if not self.closed and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, newest)

    def _note(self, newest: int) -> None:
        self._newest = max(self._newest, newest)
        self._wake.set()

    async def _tail(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._drain()
            except StoreError as error:
                _LOG.warning("the live tail cannot read now, event streams wait: %s", error)
            except Exception:  # noqa: BLE001 - without the tail every stream would stand still: it tries again
                _LOG.exception("the live tail failed")

    async def _drain(self) -> None:
        more = True
        while more and self.watched:
            page = await self._store.events.after(self._seen, limit=PAGE, size=PAGE_BYTES)
            for organization_id, event in page:
                self._hand_out(organization_id, event)
            if page:
                self._seen = page[-1][1].id
            more = len(page) == PAGE or (bool(page) and self._seen < self._newest)

    def _hand_out(self, organization_id: int, event: LiveEvent) -> None:
        delivery = Delivery(event)
        for subscription in self._watchers(organization_id, event):
            subscription.offer(delivery)

    def _watchers(self, organization_id: int, event: LiveEvent | PartialEvent) -> list[Subscription]:
        watchers = self._by_organization.get(organization_id, set())
        if isinstance(event, LogEvent | StatusEvent | PartialEvent):
            watchers = watchers | self._by_run.get(event.agent_run_id, set())
        return [each for each in watchers if each.organization_id == organization_id]


class Subscription:
    """One subscriber's place in the stream of events. Used as a context manager; leaving it frees everything.

    Args:
        hub: who feeds it.
        organization_id: whose events.
        run_id: one run's events alone; None for the whole organization's.
        after: id of the last event that the subscriber has seen.
        partial: whether text that is still being said is wanted.
    """

    def __init__(
        self, hub: Hub, organization_id: int, run_id: int | None, after: int, *, partial: bool = False
    ) -> None:
        self.organization_id = organization_id
        self.run_id = run_id
        self.cursor = after
        self._hub = hub
        self._kept: deque[Delivery] = deque()
        self._kept_bytes = 0
        self._partial = partial
        self._saying: dict[int, Delivery] = {}
        """Of each run the newest text that it is still saying, where nothing came after it."""
        self._behind = True
        self._ready = asyncio.Event()

    def __enter__(self) -> Self:
        self._hub.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hub.remove(self)

    @property
    def caught_up(self) -> bool:
        """Whether everything known so far was given out."""
        return not self._behind and not self._kept

    def offer(self, delivery: Delivery) -> None:
        """Keep an event for the subscriber, or drop all that is kept when it is too slow."""
        if self._behind:
            return
        self._supersede(delivery)
        if len(self._kept) >= BACKLOG or self._kept_bytes >= BACKLOG_BYTES:
            self._fall_behind()
        else:
            self._kept.append(delivery)
            self._kept_bytes += len(delivery.frame)
        self._ready.set()

    def show(self, run_id: int, delivery: Delivery) -> None:
        """Keep the text that a run is still saying, in place of what it said before."""
        if self._partial and not self._behind:
            self._saying[run_id] = delivery
            self._ready.set()

    def wake(self) -> None:
        """Make a waiting `batch` look again."""
        self._ready.set()

    async def batch(self, timeout: float | None = None) -> list[Delivery] | None:  # noqa: ASYNC109 - silence is an answer here, not an error
        """The next events, oldest first; none after `timeout` seconds of silence; None when the hub has closed."""
        while True:
            if self._behind:
                return await self._catch_up()
            if batch := self._take():
                return batch
            if self._hub.closed:
                return None
            self._ready.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._ready.wait()
            except TimeoutError:
                return []

    def _take(self) -> list[Delivery]:
        batch = [each for each in self._kept if _id_of(each) > self.cursor]
        saying = list(self._saying.values())
        self._saying.clear()
        self._forget_kept()
        return [*self._advance(batch), *saying]

    async def _catch_up(self) -> list[Delivery]:
        self._behind = False
        try:
            page, more = await self._hub.read(self)
        except BaseException:
            self._fall_behind()
            raise
        if more:
            self._fall_behind()
        for delivery in page:
            self._supersede(delivery)
        return self._advance(page)

    def _supersede(self, delivery: Delivery) -> None:
        """What a run was saying is said, or over."""
        if isinstance(delivery.event, LogEvent | StatusEvent):
            self._saying.pop(delivery.event.agent_run_id, None)

    def _advance(self, batch: list[Delivery]) -> list[Delivery]:
        if batch:
            self.cursor = _id_of(batch[-1])
        return batch

    def _fall_behind(self) -> None:
        self._behind = True
        self._saying.clear()
        self._forget_kept()

    def _forget_kept(self) -> None:
        self._kept.clear()
        self._kept_bytes = 0


def _id_of(delivery: Delivery) -> int:
    return 0 if isinstance(delivery.event, PartialEvent) else delivery.event.id
