"""The hub on a real store: whatever happens in whatever order, a subscriber sees each event once, in order."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from contexten.protocol import NewLogEntry, PartialEvent
from contexten.server.live import hub as hub_module
from contexten.server.live.hub import Hub, Subscription
from contexten.server.store import NewRun, Store
from contexten.settings import ServerSettings

DEADLINE = 150.0


class Scene:
    """A store with a hub and two runs of two organizations."""

    def __init__(self, store, hub):
        self.store, self.hub = store, hub

    @classmethod
    @asynccontextmanager
    async def open(cls, folder, like=None):
        """A new scene; on the tables in another folder, when there is one, as making tables takes long."""
        if like is not None:
            shutil.copytree(like, folder, dirs_exist_ok=True)
        store = Store.open(ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=folder))
        try:
            organization, user, _ = await store.people.first_start()
            other, _ = await store.people.create_organization("other", user.id)
            async with Hub(store) as hub:
                scene = cls(store, hub)
                scene.organizations = [organization.id, other.id]
                scene.user_id = user.id
                scene.runs = [(await scene.create(owner)).id for owner in scene.organizations]
                yield scene
        finally:
            store.close()

    async def create(self, organization_id):
        run, _ = await self.store.runs.create(NewRun(organization_id, self.user_id, "p", "none"))
        return run

    async def say(self, index, count=1):
        for _ in range(count):
            await self.store.events.append(self.runs[index], 1, NewLogEntry(message_type="ACTION"), key=None)

    async def truth(self, **of):
        found, after = [], 0
        while page := await self.store.events.after(after, **of):
            found += [event.id for _, event in page]
            after = found[-1]
        return found


async def read_until(subscription, last, *, seen):
    async with asyncio.timeout(DEADLINE):
        while not seen or seen[-1] < last:
            seen += [delivery.event.id for delivery in await subscription.batch(1)]
    return seen


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A folder with a database that has all tables and nothing in them."""
    folder = tmp_path_factory.mktemp("tables")
    Store.open(ServerSettings(_env_file=None, CONTEXTEN_DATA_DIR=folder)).close()
    return folder


Steps = strategies.lists(
    strategies.one_of(
        strategies.tuples(strategies.just("say"), strategies.integers(0, 1), strategies.integers(1, 7)),
        strategies.tuples(strategies.just("read"), strategies.just(0), strategies.just(0)),
        strategies.tuples(strategies.just("reconnect"), strategies.just(0), strategies.integers(0, 3)),
    ),
    max_size=14,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=Steps, whole=strategies.booleans())
def test_no_event_is_lost_or_doubled_whenever_a_client_reconnects(steps, whole, tables, monkeypatch):
    """Pages of 3 and a backlog of 5 make the limits come up often. A reconnect forgets what came after an id."""
    monkeypatch.setattr(hub_module, "PAGE", 3)
    monkeypatch.setattr(hub_module, "BACKLOG", 5)

    async def play():
        async with Scene.open(Path(folder), like=tables) as scene:
            owner, run = scene.organizations[0], None if whole else scene.runs[0]
            seen = []
            subscription = Subscription(scene.hub, owner, run, 0).__enter__()
            for kind, index, count in steps:
                if kind == "say":
                    await scene.say(index, count)
                elif kind == "read":
                    seen += [delivery.event.id for delivery in await subscription.batch(0.01)]
                else:
                    subscription.__exit__(None, None, None)
                    del seen[max(0, len(seen) - count) :]
                    subscription = Subscription(scene.hub, owner, run, seen[-1] if seen else 0).__enter__()
            await scene.say(0)
            truth = await scene.truth(organization_id=owner, run_id=run)
            await read_until(subscription, truth[-1], seen=seen)
            subscription.__exit__(None, None, None)
            assert seen == truth
            assert not scene.hub.watched

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play())


def test_writers_and_many_watchers_at_once(tmp_path):
    async def play():
        async with Scene.open(tmp_path) as scene:
            with Subscription(scene.hub, scene.organizations[0], None, 0) as first:
                seen = []

                async def follow(start):
                    mine = []
                    with Subscription(scene.hub, scene.organizations[0], scene.runs[0], start) as subscription:
                        while (await scene.truth(run_id=scene.runs[0]))[-1:] != mine[-1:] or len(mine) < 200:
                            mine += [delivery.event.id for delivery in await subscription.batch(1)]
                    return mine

                async with asyncio.timeout(DEADLINE * 2):
                    followers = [asyncio.create_task(follow(0)) for _ in range(5)]
                    await asyncio.gather(*(scene.say(0, 50) for _ in range(4)), scene.say(1, 50))
                    results = await asyncio.gather(*followers)
                truth = await scene.truth(run_id=scene.runs[0])
                assert all(result == truth for result in results)
                everything = await scene.truth(organization_id=scene.organizations[0])
                assert await read_until(first, everything[-1], seen=seen) == everything

    asyncio.run(play())


def test_a_slow_subscriber_keeps_little_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_module, "BACKLOG", 10)

    async def play():
        async with Scene.open(tmp_path) as scene:
            with Subscription(scene.hub, scene.organizations[0], scene.runs[0], 0) as slow:
                await slow.batch(1)
                with Subscription(scene.hub, scene.organizations[0], scene.runs[0], 0) as quick:
                    await scene.say(0, 60)
                    truth = await scene.truth(run_id=scene.runs[0])
                    await read_until(quick, truth[-1], seen=[])
                assert len(slow._kept) <= 10
                seen = truth[: truth.index(slow.cursor) + 1]
                assert await read_until(slow, truth[-1], seen=seen) == truth

    asyncio.run(play())


@pytest.mark.parametrize("run", [None, 0])
def test_closing_the_hub_ends_every_subscription(tmp_path, run):
    async def play():
        async with Scene.open(tmp_path) as scene:
            run_id = None if run is None else scene.runs[run]
            with Subscription(scene.hub, scene.organizations[0], run_id, 0) as subscription:
                await subscription.batch()
                waiting = asyncio.create_task(subscription.batch())
                await asyncio.sleep(0)
                scene.hub.close()
                async with asyncio.timeout(DEADLINE):
                    assert await waiting is None

    asyncio.run(play())


def test_text_that_is_still_being_said_is_shown_until_it_is_said(tmp_path):
    async def main():
        async with Scene.open(tmp_path / "data") as scene:
            owner, run = scene.organizations[0], scene.runs[0]

            def say(text):
                scene.hub.say(owner, PartialEvent(agent_run_id=run, turn=1, text=text))

            def watch(organization, run_id, **options):
                return Subscription(scene.hub, organization, run_id, 0, **options)

            async def caught_up(subscription):
                while not subscription.caught_up:
                    await subscription.batch(DEADLINE)

            async def texts_until_the_log(subscription):
                told = []
                while not told or told[-1].event != "log":
                    told += [delivery.event for delivery in await subscription.batch(DEADLINE)]
                return [getattr(event, "text", event.event) for event in told]

            with (
                watch(owner, run, partial=True) as eager,
                watch(owner, None, partial=True) as late,
                watch(owner, run) as plain,
                watch(scene.organizations[1], None, partial=True) as other,
            ):
                for each in (eager, late, plain, other):
                    await caught_up(each)
                say("I lo")
                say("I look")
                (seen,) = await eager.batch(DEADLINE)
                assert seen.event.text == "I look"  # the newest alone
                assert seen.frame.startswith(b"event: partial\ndata: {")  # and no id: nobody comes back to it
                await scene.say(0)
                assert await texts_until_the_log(eager) == ["log"]
                assert await texts_until_the_log(plain) == ["log"]
                told = await texts_until_the_log(late)
                assert told in (["log"], ["I look", "log"])  # it had not looked before: what is said takes its place
                assert await other.batch(0.01) == []

    asyncio.run(main())
