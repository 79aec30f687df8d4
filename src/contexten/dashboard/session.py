"""Who looks at a page: the client with which its event handlers talk to the server.

The door before the pages replaces the cookie of a browser by a mark of this process, so that neither the cookie nor a
token is ever in the state of a page.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contexten.client import AsyncCodegenClient

HEADER = "cookie"
"""Where the mark is in the headers of a page's connection: Reflex never sends this one to a browser."""


class Seat(Protocol):
    """What somebody who has signed in works with."""

    standalone: bool
    """Whether the pages have a process of their own, whose settings they may write."""

    async def client(self) -> AsyncCodegenClient | None:
        """The client, which is shared; None when there is no token to talk with."""
        ...


_seats: dict[str, Seat] = {}


def seat_of(router_data: Mapping[str, Any]) -> Seat | None:
    """The seat of the connection that an event came by, as the state's `router_data` tells it."""
    return _seats.get(str(router_data.get("headers", {}).get(HEADER, "")))


async def client(router_data: Mapping[str, Any]) -> AsyncCodegenClient | None:
    """The client of the connection that an event came by; None when nobody is signed in there. Never close it."""
    seat = seat_of(router_data)
    return await seat.client() if seat else None


def standalone(router_data: Mapping[str, Any]) -> bool:
    """Whether the pages have a process of their own, whose `.env` file they may write."""
    seat = seat_of(router_data)
    return seat is not None and seat.standalone


def take(seat: Seat) -> str:
    """Give a seat its mark."""
    mark = secrets.token_urlsafe()
    _seats[mark] = seat
    return mark


def leave(mark: str) -> None:
    """Forget a seat."""
    _seats.pop(mark, None)
