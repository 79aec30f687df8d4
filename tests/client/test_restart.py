"""A server that is stopped and started again under a client that is watching."""

import asyncio
from contextlib import aclosing

import pytest
from own_server import connect, embedded

from contexten import AsyncCodegenClient, CodegenClient
from contexten.errors import ApiError


def is_held(event):
    return event.event == "log" and event.entry.thought == "holding"


def test_a_server_restarted_during_a_run(tmp_path, proxies):
    """The stream, the wait and the run itself go on."""
    first = embedded(tmp_path)
    first.__enter__()
    proxy = proxies(first.base_url)
    heard = []
    with connect(first, proxy.base_url) as client:
        task = client.run("x", engine="held")
        events = task.events()
        while not (heard and is_held(heard[-1])):
            heard.append(next(events))
        first.__exit__(None, None, None)
        with embedded(tmp_path) as second:
            proxy.upstream = second.base_url
            client.cancel_agent_run(task.id)
            heard += list(events)
            task.refresh()
            assert task.status == "CANCELLED"
            with connect(second, second.base_url) as direct:
                everything = list(direct.run_events(task.id))
    assert [event.id for event in heard] == [event.id for event in everything]


def test_a_local_server_that_comes_back_elsewhere_is_found_again(tmp_path):
    """The client was given no address: it found the one of its data folder, and does so again."""
    first = embedded(tmp_path)
    first.__enter__()
    heard = []
    with CodegenClient() as client:
        task = client.run("x", engine="held")
        events = task.events()
        while not (heard and is_held(heard[-1])):
            heard.append(next(events))
        first.__exit__(None, None, None)
        with embedded(tmp_path) as second:
            client.cancel_agent_run(task.id)
            heard += list(events)
            assert client.base_url == second.base_url
            assert [event.id for event in heard] == [event.id for event in client.run_events(task.id)]
    assert heard[-1].status == "CANCELLED"


def test_the_twin_finds_it_again_too(tmp_path):
    async def main():
        first = embedded(tmp_path)
        await asyncio.to_thread(first.__enter__)
        async with AsyncCodegenClient() as client:
            task = await client.run("x", engine="held")
            async with aclosing(task.events()) as events:
                async for event in events:
                    if is_held(event):
                        await asyncio.to_thread(first.__exit__, None, None, None)
                        second = embedded(tmp_path)
                        await asyncio.to_thread(second.__enter__)
                        await client.cancel_agent_run(task.id)
            address = client.base_url
        await asyncio.to_thread(second.__exit__, None, None, None)
        return event.status, address == second.base_url

    assert asyncio.run(main()) == ("CANCELLED", True)


def test_a_server_that_was_named_is_not_looked_for_elsewhere(tmp_path):
    first = embedded(tmp_path)
    first.__enter__()
    named = first.base_url
    with connect(first, max_retries=0) as client:
        client.me()
        first.__exit__(None, None, None)
        with embedded(tmp_path) as second:
            if second.base_url != named:
                with pytest.raises(ApiError):
                    client.me()
            assert client.base_url == named
