"""What the states of all pages have in common: asking the server, and saying what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import reflex as rx

from contexten.dashboard import session
from contexten.dashboard.visit import Visit
from contexten.errors import (
    ApiError,
    AuthenticationError,
    ConnectError,
    ContextenError,
    NotFoundError,
    RequestTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contexten.client import AsyncCodegenClient
    from contexten.dashboard.live import News

T = TypeVar("T")


class Page(rx.State, mixin=True):
    """A page that shows something of the server."""

    problem: rx.Field[str] = rx.field("")
    """Why something could not be done; empty when it could."""
    loaded: rx.Field[bool] = rx.field(default=False)
    """Whether there is something to show yet."""

    async def _ask(self, ask: Callable[[AsyncCodegenClient], Awaitable[T]]) -> T | None:
        """What the server answers; None when it could not, and then the page says why."""
        visit = await self.get_state(Visit)
        client = await session.client(self.router_data)
        if client is None:
            visit.phase = "signed_out"
            return None
        try:
            answer = await ask(client)
        except AuthenticationError:
            visit.phase = "signed_out"
            return None
        except (ConnectError, RequestTimeoutError) as error:
            visit.lost = str(error)  # said above every page, until an answer comes
            return None
        except ContextenError as error:
            self.problem = self._told(error)
            return None
        self.problem = visit.lost = ""
        return answer

    def _told(self, error: ContextenError) -> str:
        """An error in the words of the server, with its request id, by which its log has it."""
        known = error.request_id if isinstance(error, ApiError) else None
        return f"{error} (request {known})" if known and getattr(error, "status_code", 0) >= 500 else str(error)  # noqa: PLR2004 - a fault of the server

    async def _hear(self, news: News) -> Any:
        """Take what has happened on the server while the page is open."""


class OneThing(Page, mixin=True):
    """A page of one thing, which may not be there, and which can be deleted."""

    absent: rx.Field[str] = rx.field("")
    """Why there is nothing to show: there is no such thing, or it was deleted."""
    asking: rx.Field[bool] = rx.field(default=False)
    """Whether it is asked if it is to be deleted."""
    announced: rx.Field[str] = rx.field("")
    """What has become of it, for those who hear the page."""

    @rx.event
    def ask_to_delete(self, asking: bool) -> None:
        """Ask whether it is to be deleted, or take the question back."""
        self.asking = asking

    async def _deleted(self, delete: Callable[[AsyncCodegenClient], Awaitable[object]], back: str) -> Any:
        """Delete it, and go back to the list."""
        self.asking = False
        return rx.redirect(back) if await self._ask(delete) is not None else None

    def _told(self, error: ContextenError) -> str:
        if isinstance(error, NotFoundError):
            self.absent = str(error)
            return ""
        return super()._told(error)
