"""Who looks, at what, and whether the server answers: the one state that every page has, and its live connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx
from reflex_base.registry import RegistrationContext

from contexten.dashboard import session
from contexten.dashboard.live import portions
from contexten.errors import ApiError, AuthenticationError

if TYPE_CHECKING:
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

    _following: bool = False

    @rx.event
    async def enter(self) -> Any:
        """Find out who looks, and begin to listen."""
        self.standalone = session.standalone(self.router_data)
        client = await session.client(self.router_data)
        if client is None:
            self.phase = "signed_out"
            return None
        self.server = client.base_url
        if not self.who:
            try:
                me = await client.me()
                number = await client.organization()
            except AuthenticationError:
                self.phase = "signed_out"
                return None
            except ApiError as error:
                self.lost = str(error)
            else:
                self.who, self.role = me.full_name or me.github_username, (me.role or "").lower()
                self.organization = str(number)
                self.lost = ""
        self.phase = "here"
        return None if self._following else Visit.follow

    @rx.event(background=True)
    async def follow(self) -> None:
        """Tell the open page what happens on the server, until the tab is closed."""
        async with self:
            client = await session.client(self.router_data)
            if self._following or client is None:
                return
            self._following = True
        token = self.router.session.client_token
        try:
            async for news in portions(client, lambda: is_open(token)):
                async with self:
                    await self._tell(news)
        except AuthenticationError:
            async with self:
                self.phase = "signed_out"
        except ApiError as error:
            async with self:
                self.lost = str(error)
        finally:
            async with self:
                self._following = False

    async def _tell(self, news: News) -> None:
        if news.lost is not None:
            self.lost = news.lost
        listener = listeners.get(self.router.route_id)
        if listener is not None and not news.lost:
            await (await self.get_state(listener))._hear(news)  # noqa: SLF001 - what is public is an event of the browser


def is_open(token: str) -> bool:
    """Whether the tab with a token is connected. A program without an app, such as a test, is."""
    namespace = getattr(RegistrationContext.get().app, "event_namespace", None)
    return namespace is None or token in namespace.token_to_sid
