"""A server that is stopped and started again under a client that is watching."""

import asyncio
from contextlib import ExitStack, aclosing

import pytest
from own_server import connect, embedded

from contexten import AsyncCodegenClient, CodegenClient
from contexten.errors import ApiError


class Restarting:
    """A server that is started, and may be started again on the same data: at another port, as a rule."""

    def __init__(self, folder):
        self._folder, self._stack = folder, ExitStack()
        self.start()

    def start(self):
        self.now = self._stack.enter_context(embedded(self._folder))

    def stop(self):
        self._stack.close()

    def restart(self):
        self.stop()
        self.start()


@pytest.fixture
def restarting(tmp_path):
    server = Restarting(tmp_path)
    yield server
    server.stop()


def is_held(event):
    return event.event == "log" and event.entry.thought == "holding"


def heard_until_held(events):
    heard = [next(events)]
    while not is_held(heard[-1]):
        heard.append(next(events))
    return heard


def test_a_server_restarted_during_a_run(restarting, proxies):
    """The stream, the wait and the run itself go on."""
    proxy = proxies(restarting.now.base_url)
    with connect(restarting.now, proxy.base_url) as client:
        task = client.run("x", engine="held")
        events = task.events()
        heard = heard_until_held(events)
        restarting.restart()
        proxy.upstream = restarting.now.base_url
        client.cancel_agent_run(task.id)
        heard += list(events)
        task.refresh()
        assert task.status == "CANCELLED"
        with connect(restarting.now) as direct:
            everything = list(direct.run_events(task.id))
    assert [event.id for event in heard] == [event.id for event in everything]


def test_a_local_server_that_comes_back_elsewhere_is_found_again(restarting):
    """The client was given no address: it found the one of its data folder, and does so again."""
    with CodegenClient() as client:
        task = client.run("x", engine="held")
        events = task.events()
        heard = heard_until_held(events)
        restarting.restart()
        client.cancel_agent_run(task.id)
        heard += list(events)
        assert client.base_url == restarting.now.base_url
        assert [event.id for event in heard] == [event.id for event in client.run_events(task.id)]
    assert heard[-1].status == "CANCELLED"


def test_the_twin_finds_it_again_too(restarting):
    async def main():
        async with AsyncCodegenClient() as client:
            task = await client.run("x", engine="held")
            async with aclosing(task.events()) as events:
                async for event in events:
                    if is_held(event):
                        await asyncio.to_thread(restarting.restart)
                        await client.cancel_agent_run(task.id)
            return event.status, client.base_url

    assert asyncio.run(main()) == ("CANCELLED", restarting.now.base_url)


def test_a_server_that_was_named_is_not_looked_for_elsewhere(restarting):
    named = restarting.now.base_url
    with connect(restarting.now, max_retries=0) as client:
        client.me()
        restarting.restart()
        if restarting.now.base_url != named:
            with pytest.raises(ApiError):
                client.me()
        assert client.base_url == named
