"""The door before the pages: signs browsers in by a link that works once, out again, and lets nobody else through.

A browser that is signed in has a cookie that scripts cannot read and that other people's pages cannot make it send.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from contexten.dashboard.hosting import plain
from contexten.dashboard.hosting.guesses import Guesses
from contexten.dashboard.hosting.installed import is_installed
from contexten.dashboard.hosting.pages import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from contexten.dashboard.hosting.pages import Pages
    from contexten.dashboard.hosting.seats import Visitor

SIGN_OUT = "/sign-out"
_SOCKET = "/_dashboard/_event"
_API = "/v1/"
_MONTH = 30 * 86400
_USED = "It was used already, or it is too old: a link works once, for an hour."
_GUESSED = "Too many links that do not work came from this address. Wait a minute."


V = TypeVar("V", bound="Visitor")


class Keeper(Protocol[V]):
    """Who knows the codes and the sessions."""

    cookie: str
    """Name of the cookie: one for each server of this host, as cookies know no ports."""
    secure: bool
    """Whether browsers come by https."""

    @property
    def advice(self) -> str:
        """How to get a link, as a part of a page."""
        ...

    async def begin(self, code: str) -> str | None:
        """The secret of a new session for a code that was not used yet; None for any other."""
        ...

    async def visitor(self, secret: str) -> V | None:
        """Who has a session; None when it has ended."""
        ...

    async def end(self, visitor: V) -> None:
        """End a session."""
        ...


class Door(Generic[V]):
    """An ASGI application: everything that is not of the API comes here."""

    def __init__(self, keeper: Keeper[V], pages: Pages) -> None:
        self._keeper, self._pages, self._guesses = keeper, pages, Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or serve the connection of a page (ASGI)."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def aclose(self) -> None:
        """Stop what the pages have begun."""
        await self._pages.aclose()

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = await self._visitor(Request({**scope, "type": "http", "method": "GET"}))
        if visitor is None or not scope["path"].startswith(_SOCKET):
            await refuse(send)
        else:
            await self._pages.socket(visitor, scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        path, method = request.url.path, request.method
        if method == "POST" and path == SIGN_OUT:
            return await self._sign_out(request)
        if method not in {"GET", "HEAD"} or path.startswith(_API):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if not is_installed():
            return self._unless_page(request, plain.not_installed(request))
        if method == "GET" and (code := request.query_params.get("code")) and _is_navigation(request):
            return await self._sign_in(request, code)
        return self._pages.asset(request) or await self._page(request)

    async def _page(self, request: Request) -> Response:
        visitor = await self._visitor(request)
        if request.url.path == plain.SESSION:
            return Response(status_code=401 if visitor is None else 204, headers={"Cache-Control": "no-store"})
        if visitor is None:
            return self._unless_page(request, plain.sign_in(request, self._keeper.advice))
        answer = await self._pages.answer(request)
        return answer or self._unless_page(request, await self._pages.missing(request))

    @staticmethod
    def _unless_page(request: Request, page: Response) -> Response:
        """A page for whoever can show one; programs are told that there is nothing."""
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return page

    async def _sign_in(self, request: Request, code: str) -> Response:
        here = quote("/" + request.url.path.strip("/"))  # two slashes would lead to another host
        who = request.client.host if request.client else ""
        if not self._guesses.may(who):
            return plain.sign_in(request, self._keeper.advice, note=_GUESSED, status=429)
        before = request.cookies.get(self._keeper.cookie)
        secret = await self._keeper.begin(code)
        if secret is None:
            if await self._visitor(request):
                return RedirectResponse(here, 303, _UNSEEN)
            self._guesses.failed(who)
            return plain.sign_in(request, self._keeper.advice, note=_USED)
        if before:
            await self._end(before)
        answer = RedirectResponse(here, 303, _UNSEEN)
        answer.set_cookie(
            self._keeper.cookie, secret, _MONTH, secure=self._keeper.secure, httponly=True, samesite="strict"
        )
        return answer

    async def _sign_out(self, request: Request) -> Response:
        if secret := request.cookies.get(self._keeper.cookie):
            await self._end(secret)
        answer = RedirectResponse("/", 303, _UNSEEN)
        answer.delete_cookie(self._keeper.cookie, secure=self._keeper.secure, httponly=True, samesite="strict")
        return answer

    async def _end(self, secret: str) -> None:
        visitor = await self._keeper.visitor(secret)
        if visitor is not None:
            await self._keeper.end(visitor)
            await self._pages.seats.leave(visitor.key)

    async def _visitor(self, request: Request) -> V | None:
        secret = request.cookies.get(self._keeper.cookie)
        return await self._keeper.visitor(secret) if secret else None


_UNSEEN = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


def _is_navigation(request: Request) -> bool:
    """Whether a person opens the page: not a picture on another page, and not a browser that looks ahead."""
    if "prefetch" in request.headers.get("sec-purpose", "") or "prefetch" in request.headers.get("purpose", ""):
        return False
    return request.headers.get("sec-fetch-dest", "document") == "document"
