"""A server, and tabs of a browser as the states of the pages see them: without a browser."""

from __future__ import annotations

import asyncio
import inspect
import json

import pytest
import reflex as rx
from reflex.istate.data import RouterData

import contexten.dashboard.app  # noqa: F401 - all states, as in the pages
from contexten.client import AsyncCodegenClient
from contexten.dashboard import session
from editing_engine import Editing
from running_server import running


class Seat:
    """Somebody who is signed in, or not any more."""

    def __init__(self, client, *, standalone):
        self.open_client, self.standalone = client, standalone

    async def client(self):
        return self.open_client


class Tab:
    """A tab: its states, and where it was sent."""

    def __init__(self, client, *, standalone=False):
        self.client, self.seat = client, Seat(client, standalone=standalone)
        self._mark = session.take(self.seat)
        self._root = rx.State(_reflex_internal_init=True)
        self.sent_to = []
        self.at("/")

    def at(self, address):
        """Be at an address."""
        path, _, query = address.partition("?")
        known = {
            "pathname": path,
            "asPath": address,
            "query": dict(part.split("=") for part in query.split("&") if part),
        }
        known |= {"headers": {"cookie": self._mark, "origin": "http://127.0.0.1:8000"}, "token": "tab"}
        self._root.router_data, self._root.router = known, RouterData.from_router_data(known)

    async def state(self, kind):
        return await self._root.get_state(kind)

    async def on(self, kind, event, *arguments):
        """Let an event of the browser happen; the state afterwards."""
        state = await self.state(kind)
        result = getattr(kind, event).fn(state, *arguments)
        if inspect.isasyncgen(result):
            async for told in result:
                self._note(told)
        else:
            self._note(await result if inspect.isawaitable(result) else result)
        return state

    def _note(self, told):
        arguments = {str(name): str(value) for name, value in getattr(told, "args", ())}
        if {"path", "external"} <= arguments.keys():  # a redirect
            self.sent_to.append(json.loads(arguments["path"]))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    with running(folder, more_engines=[Editing(folder / "data")]) as place:
        yield place


@pytest.fixture
def look(place):
    """Runs what happens in a tab of somebody: an admin, unless said otherwise."""

    def run(happens, *, caller=None, standalone=False):
        async def whole():
            who = caller or place.admin
            async with AsyncCodegenClient(token=who.token, base_url=who.base_url, org_id=who.org) as client:
                await happens(Tab(client, standalone=standalone))

        asyncio.run(whole())

    return run
