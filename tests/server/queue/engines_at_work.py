"""Engines that behave, and misbehave, in every way that the queue has to live with."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from contexten.engines.base import Availability, Outcome, Usage
from contexten.errors import EngineError
from contexten.protocol import NewLogEntry, RunStatus


def done(text="done", **rest):
    return Outcome(RunStatus.COMPLETE, text, **rest)


def thought(text):
    return NewLogEntry(message_type="ACTION", thought=text)


class Base:
    concurrency = None

    def __init__(self):
        self.tasks = []
        """What it was asked to do, in order."""
        self.journals = []
        self.running = 0
        self.most = 0

    def availability(self):
        return Availability(ready=True)

    async def run(self, task, journal):
        self.tasks.append(task)
        self.journals.append(journal)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self.do(task, journal)
        finally:
            self.running -= 1


class Noop(Base):
    name = "noop"
    concurrency = 1000

    async def do(self, task, journal):
        return done(f"did {task.prompt}", summary="nothing", usage=Usage(1, 2, 0.5))


class Stepping(Base):
    """Writes `steps` entries, a moment apart, and does not do again what an earlier attempt wrote.

    With a `gate`, the last step is taken once there is a file of that name.
    """

    name = "stepping"
    concurrency = 16
    steps = 5
    moment = 0.05
    gate = None

    async def do(self, task, journal):
        before = await journal.entries()
        for step in range(self.steps):
            if f"step-{step}" not in before:
                await asyncio.sleep(self.moment)
            if step == self.steps - 1 and self.gate is not None:
                while not self.gate.exists():  # noqa: ASYNC110 - another process makes it
                    await asyncio.sleep(0.02)
            await journal.add(thought(f"step {step} by {os.getpid()}"), key=f"step-{step}")
        return done(f"{self.steps} steps, {len(before)} of them before")


class Waiting(Base):
    """Works until it is released or told to stop."""

    name = "waiting"
    concurrency = 2

    def __init__(self):
        super().__init__()
        self.released = asyncio.Event()
        self.cancelled = 0

    async def do(self, task, journal):
        await journal.add(thought("waiting"), key="waiting")
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return done("released")


class Stubborn(Base):
    """Swallows each cancellation and goes on until it may not write any more."""

    name = "stubborn"
    concurrency = 1

    def __init__(self):
        super().__init__()
        self.gave_up = asyncio.Event()

    async def do(self, task, journal):
        if task.prompt == "behave":
            return done()
        key = 0
        while not self.gave_up.is_set():
            key += 1
            try:
                await asyncio.sleep(0.05)
                await journal.add(thought("still here"), key=f"{key}")
            except asyncio.CancelledError:
                continue
        return done("never asked for")


class Blocking(Base):
    """Computes on a thread, as an engine that blocks has to, until it may end."""

    name = "blocking"

    def __init__(self):
        super().__init__()
        self.computing = threading.Semaphore(0)
        self.may_end = threading.Event()

    async def do(self, task, journal):
        await asyncio.to_thread(self._compute)
        return done()

    def _compute(self):
        self.computing.release()
        assert self.may_end.wait(150)


class Ending(Base):
    """Ends each run with what it was given."""

    name = "ending"
    outcome: object = None

    async def do(self, task, journal):
        return self.outcome


class Misbehaving(Base):
    """Ends in the way that its prompt names."""

    name = "misbehaving"

    async def do(self, task, journal):
        match task.prompt:
            case "refuse":
                raise EngineError("It needs a model. Set one: export CONTEXTEN_MODEL=provider:name")
            case "break":
                raise RuntimeError("the password is hunter2")
            case "exit":
                raise SystemExit(3)
            case "cancel itself":
                asyncio.current_task().cancel()
                await asyncio.sleep(1)
            case "end nothing":
                return Outcome(RunStatus.RUNNING, "still at it")
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        return done(task.prompt)
