"""A server that is stopped and started again under a client that is watching."""

from own_server import connect, embedded


def test_a_server_restarted_during_a_run(tmp_path, proxies):
    """The stream, the wait and the run itself go on."""
    first = embedded(tmp_path)
    first.__enter__()
    proxy = proxies(first.base_url)
    heard = []
    with connect(first, proxy.base_url) as client:
        task = client.run("x", engine="held")
        events = task.events()
        while not heard or heard[-1].event != "log" or heard[-1].entry.thought != "holding":
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
