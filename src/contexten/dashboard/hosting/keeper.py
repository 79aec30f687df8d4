"""The sessions of a server's dashboard: they are tokens of the server that expire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contexten.client import AsyncCodegenClient
from contexten.dashboard.hosting import plain
from contexten.dashboard.hosting.seats import ClientSeat

if TYPE_CHECKING:
    from contexten.server.services import Services
    from contexten.server.store.sign_ins import Session


class ServerKeeper:
    """Codes and sessions as the server's store has them."""

    advice = plain.command(
        "Run this where you use Contexten:",
        "contexten dashboard --open",
        "It opens the dashboard signed in. The command contexten up shows such a link too when it starts.",
    )

    def __init__(self, services: Services) -> None:
        self._services = services
        address = urlsplit(services.public_url)
        self.secure = address.scheme == "https"
        self.cookie = f"contexten_{address.port or (443 if self.secure else 80)}"

    async def begin(self, code: str) -> str | None:
        """The secret of a new session for a code that was not used yet; None for any other."""
        session = await self._services.store.sign_ins.begin(code)
        return session.secret if session else None

    async def visitor(self, secret: str) -> ServerVisitor | None:
        """Who has a session; None when it has ended."""
        session = await self._services.store.sign_ins.session(secret)
        return ServerVisitor(session, self._services.base_url) if session else None

    async def end(self, visitor: ServerVisitor) -> None:
        """End a session."""
        await self._services.store.sign_ins.end(visitor.session)


@dataclass(frozen=True, slots=True)
class ServerVisitor:
    """A browser with a session of the server."""

    session: Session = field(repr=False)
    base_url: str

    @property
    def key(self) -> str:
        """The session's number."""
        return str(self.session.id)

    def seat(self) -> ClientSeat:
        """A client that acts for the session."""
        return ClientSeat(AsyncCodegenClient(self.session.secret, self.session.organization_id, self.base_url))
