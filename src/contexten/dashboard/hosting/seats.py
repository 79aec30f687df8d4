"""The seats of everybody who is signed in: one client for each session, whichever tab it is used from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from contexten.dashboard import session

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient


class Seat(session.Seat, Protocol):
    """A seat that can be left."""

    async def aclose(self) -> None:
        """Close what it has open."""
        ...


class Visitor(Protocol):
    """A browser that has signed in."""

    @property
    def key(self) -> str:
        """What tells its session from others."""
        ...

    def seat(self) -> Seat:
        """A new seat for it."""
        ...


class Seats:
    """The marks of all sessions that have a page open, or had one."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[str, Seat]] = {}

    def mark(self, visitor: Visitor) -> str:
        """The mark by which the pages know a visitor."""
        if visitor.key not in self._taken:
            seat = visitor.seat()
            self._taken[visitor.key] = session.take(seat), seat
        return self._taken[visitor.key][0]

    async def leave(self, key: str) -> None:
        """End what a session has open."""
        mark, seat = self._taken.pop(key, (None, None))
        if mark is not None and seat is not None:
            session.leave(mark)
            await seat.aclose()

    async def aclose(self) -> None:
        """End what every session has open."""
        for key in list(self._taken):
            await self.leave(key)


@dataclass
class ClientSeat:
    """The seat of a session of the server that the pages are part of."""

    open_client: AsyncCodegenClient = field(repr=False)
    standalone: bool = False

    async def client(self) -> AsyncCodegenClient:
        """The session's client."""
        return self.open_client

    async def aclose(self) -> None:
        """Close the client."""
        await self.open_client.aclose()
