"""Who looks, at what, and whether the server answers: the one state that every page has, and its live connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx
from reflex_base.registry import RegistrationContext

from contexten.client.answers import NoEventStreamError
from contexten.dashboard import session
from contexten.dashboard.live import portions
from contexten.errors import ApiError, AuthenticationError

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.dashboard.live import News

listeners: dict[str, type[Any]] = {}
"""The state that is told what happens, by the route of its page, as Reflex names it."""


class Visit(rx.State):
    """A tab of a browser."""

    phase: rx.Field[str] = rx.field("opening")
    """opening, here or signed_out."""
    lost: rx.Field[str] = rx.field("")
    """Why the server does not answer; empty when it does."""
    standalone: rx.Field[bool] = rx.field(default=False)
    """Whether the pages have a process of their own."""
    who: rx.Field[str] = rx.field("")
    organization: rx.Field[str] = rx.field("")
    server: rx.Field[str] = rx.field("")
    """Address that the pages talk to."""
    role: rx.Field[str] = rx.field("")

    live: rx.Field[bool] = rx.field(default=False)
    """Whether what happens is shown by itself."""

    _following: bool = False

    @rx.event
    async def enter(self) -> Any:
        """Find out who looks, and begin to listen."""
        self.standalone = session.standalone(self.router_data)
        client = await session.client(self.router_data)
        if client is None:
            self.phase = "signed_out"
            return None
        if not self.who or self.server != client.base_url:
            await self._meet(client)
        return None if self._following or self.phase != "here" else Visit.follow

    @rx.event
    def forget(self) -> Any:
        """Find out anew who looks: the settings have changed."""
        self.who = ""
        return Visit.enter

    @rx.event(background=True)
    async def follow(self) -> None:
        """Tell the open page what happens on the server, until the tab is closed or the session ends."""
        async with self:
            if self._following:
                return
            self._following = True
        try:
            while (client := await self._listener()) is not None:
                if not await self._listen(client):
                    return
        finally:
            async with self:
                self._following = self.live = False

    async def _meet(self, client: AsyncCodegenClient) -> None:
        self.phase, self.server, self.who = "here", client.base_url, ""
        try:
            me = await client.me()
            self.organization = str(await client.organization())
        except AuthenticationError:
            self.phase = "signed_out"
        except ApiError as error:
            self.lost = str(error)
        else:
            self.who, self.role = me.full_name or me.github_username, (me.role or "").lower()
            self.lost = ""

    async def _listener(self) -> AsyncCodegenClient | None:
        """The client to listen with; None when nobody is there any more. Being asked for keeps the tab's state in memory."""
        async with self:
            token = self.router.session.client_token
            return await session.client(self.router_data) if is_open(token) else None

    async def _listen(self, client: AsyncCodegenClient) -> bool:
        """Tell the page what a client hears; whether it is worth listening again, perhaps with another client."""

        async def looks() -> bool:
            return await self._listener() is client

        try:
            async for news in portions(client, looks):
                async with self:
                    await self._tell(news)
        except NoEventStreamError:  # a hosted Codegen: the pages are as new as the last reload
            return False
        except AuthenticationError:
            async with self:
                self.phase = "signed_out"
            return False
        except ApiError as error:
            async with self:
                self.lost = str(error)
            return False
        return True

    async def _tell(self, news: News) -> None:
        if news.lost is not None:
            self.lost, self.live = news.lost, not news.lost
        listener = listeners.get(self.router.route_id)
        if listener is not None and not news.lost:
            await (await self.get_state(listener))._hear(news)  # noqa: SLF001 - what is public is an event of the browser


def is_open(token: str) -> bool:
    """Whether the tab with a token is connected. A program without an app, such as a test, is."""
    namespace = getattr(RegistrationContext.get().app, "event_namespace", None)
    return namespace is None or token in namespace.token_to_sid
