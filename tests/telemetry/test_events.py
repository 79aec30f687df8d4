"""The event bus: order, isolation of handlers, asynchronous handlers, cost without handlers."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from contexten.telemetry import events
from contexten.telemetry.events import Event, EventBus, EventType


@pytest.fixture
def bus():
    return EventBus()


def test_the_documented_types_are_there():
    documented = "agent_created task_starting task_created task_status_changed task_finished task_error overlay_applied"
    assert set(documented.split()) | {"task_timeout"} == {str(each) for each in EventType}


def test_a_handler_gets_a_plain_dictionary_that_names_its_type_and_time(bus):
    seen = []
    bus.register("task_finished", seen.append)
    before = time.time()
    bus.emit(EventType.TASK_FINISHED, duration=1.5)
    [event] = seen
    assert dict(event) == {"event_type": "task_finished", "timestamp": event.timestamp, "duration": 1.5}
    assert type(event["event_type"]) is str
    assert before <= event.timestamp <= time.time()
    assert event.event_type == "task_finished"


def test_names_and_members_of_the_enumeration_are_one_type(bus):
    seen = []
    bus.register(EventType.TASK_ERROR, seen.append)
    bus.emit("task_error")
    bus.emit(EventType.TASK_ERROR)
    bus.emit("task_created")
    assert len(seen) == 2


def test_handlers_are_called_in_the_order_of_registration_and_those_for_all_events_last(bus):
    order = []
    bus.register(None, lambda _: order.append("every"))
    bus.register("x", lambda _: order.append("first"))
    bus.register("x", lambda _: order.append("second"))
    bus.emit("x")
    bus.emit("y")
    assert order == ["first", "second", "every", "every"]


def test_an_unregistered_handler_is_not_called(bus):
    seen = []
    handler = bus.register("x", seen.append)
    every = bus.register(None, seen.append)
    assert bus.unregister("x", handler)
    assert not bus.unregister("x", handler)
    assert bus.unregister(None, every)
    bus.emit("x")
    assert seen == []


def test_a_handler_may_unregister_itself_while_it_is_called(bus):
    seen = []

    def once(event):
        seen.append(event)
        bus.unregister("x", once)

    bus.register("x", once)
    bus.register("x", seen.append)
    bus.emit("x")
    bus.emit("x")
    assert len(seen) == 3


def test_a_failing_handler_harms_nobody_and_is_reported_once(bus, caplog):
    seen = []

    def broken(event):
        event.clear()
        raise LookupError("no such thing")

    bus.register("x", broken)
    bus.register("x", seen.append)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            bus.emit("x", n=1)
    assert [event["n"] for event in seen] == [1, 1, 1]
    [record] = caplog.records
    assert ".broken failed and is called again: LookupError('no such thing') (said once)" in record.getMessage()


@pytest.mark.parametrize(("event_type", "handler", "error"), [("x", None, TypeError), ("", print, ValueError)])
def test_what_cannot_be_meant_is_refused(bus, event_type, handler, error):
    with pytest.raises(error):
        bus.register(event_type, handler)


def test_data_may_use_any_name(bus):
    seen = []
    bus.register("x", seen.append)
    bus.emit("x", self=1, event_type="y", data=2, handlers=3)
    assert {key: value for key, value in seen[0].items() if key != "timestamp"} == {
        "self": 1,
        "event_type": "x",
        "data": 2,
        "handlers": 3,
    }


def test_an_asynchronous_handler_runs_on_the_running_loop(bus):
    threads = []

    async def handler(_):
        await asyncio.sleep(0)
        threads.append(threading.current_thread())

    async def program():
        bus.register("x", handler)
        bus.emit("x")
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=60)

    asyncio.run(program())
    assert threads == [threading.main_thread()]


def test_an_asynchronous_handler_runs_in_the_background_without_a_loop(bus, caplog):
    seen = []

    async def handler(event):
        await asyncio.sleep(0.01)
        seen.append(event["n"])
        if event["n"] == 1:
            raise LookupError("late")

    bus.register("x", handler)
    for n in range(3):
        bus.emit("x", n=n)
    assert bus.drain(60)
    assert sorted(seen) == [0, 1, 2]
    assert "late" in caplog.text


def test_emit_async_awaits_handlers_in_order(bus, caplog):
    seen = []

    async def slow(event):
        await asyncio.sleep(0.01)
        seen.append("slow")
        raise LookupError("afterwards")

    bus.register("x", slow)
    bus.register("x", lambda _: seen.append("quick"))
    asyncio.run(bus.emit_async("x"))
    assert seen == ["slow", "quick"]
    assert "afterwards" in caplog.text


def test_registering_from_many_threads_loses_no_handler(bus):
    seen = []

    def register():
        for _ in range(100):
            bus.register("x", seen.append)

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bus.emit("x")
    assert len(seen) == 800


def test_one_handler_list_can_be_told_alone(bus):
    registered, alone = [], []
    bus.register("x", registered.append)
    bus.deliver([alone.append], "x", {"n": 1})
    assert (len(registered), alone[0]["n"]) == (0, 1)
    assert isinstance(alone[0], Event)


def test_clear_forgets_every_handler(bus):
    seen = []
    bus.register("x", seen.append)
    bus.register(None, seen.append)
    bus.clear()
    bus.emit("x")
    assert seen == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_has_a_background_of_its_own():
    program = """
import asyncio, os
from contexten.telemetry import events

async def handler(event):
    await asyncio.sleep(0)
    os.write(1, f"{event['who']}\\n".encode())

events.register("x", handler)
events.emit("x", who="parent")
events.drain(60)
child = os.fork()
if child == 0:
    events.emit("x", who="child")
    os._exit(0 if events.drain(60) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == ["parent", "child"]


def test_handlers_under_way_are_finished_when_the_program_ends():
    program = """
import asyncio
from contexten.telemetry import events

async def handler(event):
    await asyncio.sleep(0.05)
    print("finished", flush=True)

events.register("x", handler)
events.emit("x")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "finished\n"


@pytest.mark.parametrize("name", ["events", "metrics", "health"])
def test_the_files_need_nothing_but_the_standard_library(name):
    source = Path(events.__file__).with_name(f"{name}.py")
    program = f"import sys; before = set(sys.modules); import {name}; print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=source.parent,
        env={"PYTHONPATH": str(source.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {module.partition(".")[0] for module in done.stdout.split()} - {name}
    assert loaded <= sys.stdlib_module_names
    assert not loaded & {"asyncio", "http", "concurrent"}
