"""The few pages that stand without Reflex: those that say why the dashboard is not there yet, and what to do."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from contexten.dashboard.hosting.files import digest_of, guarding

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SESSION = "/_dashboard/session"
"""Answers 204 to a browser that is signed in, and 401 to another."""
_STYLE = """
:root{color-scheme:light dark;--text:#1c2024;--soft:#60646c;--line:#0000001f;--ground:#fcfcfd;--card:#fff}
@media(prefers-color-scheme:dark){:root{--text:#edeef0;--soft:#b0b4ba;--line:#ffffff24;--ground:#111113;--card:#18191b}}
body{font:16px/1.55 system-ui,sans-serif;color:var(--text);background:var(--ground);margin:0;min-height:100vh;
display:grid;place-items:center}main{box-sizing:border-box;width:min(34rem,100vw - 2rem);padding:2rem;margin:1rem 0;
background:var(--card);border:1px solid var(--line);border-radius:12px}h1{font-size:1.3rem;margin:0 0 .6rem}
p{margin:.6rem 0}small{color:var(--soft)}code,pre{font:14px/1.5 ui-monospace,monospace}pre{overflow:auto;margin:.8rem 0;
padding:.7rem .9rem;border:1px solid var(--line);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere}
"""
# A link on somebody else's page brings no cookie along, and signing in may have happened in another tab: asked from
# here, the server sees the cookie. Once only, so that nothing turns in circles.
_LOOK = (
    f"function look(){{fetch('{SESSION}')"
    ".then(function(a){if(a.status===204&&!sessionStorage.contexten){"
    "sessionStorage.contexten=1;location.replace(location.href.split('#')[0])}"
    "else if(a.status!==204)sessionStorage.removeItem('contexten')})}"
    "look();document.addEventListener('visibilitychange',function(){if(!document.hidden)look()})"
)


def sign_in(request: Request, advice: str, *, note: str = "", status: int = 401) -> Response:
    """Says how to sign in.

    Args:
        request: what is answered.
        advice: the command to run, and what it does.
        note: what went wrong with the link that was used.
        status: that of the answer.
    """
    title = "This link does not sign in" if note else "Sign in"
    return _page(request, title, f"{_paragraph(note)}{advice}", status, script=_LOOK)


def building(request: Request, line: str) -> Response:
    """Says that the pages are being built, and what the build is at."""
    body = _paragraph("It takes about a minute, once. This page turns into the dashboard by itself.")
    return _page(request, "The dashboard is being built", f"{body}{_code(line) if line else ''}", 503, refresh=2)


def not_built(request: Request, reason: str) -> Response:
    """Says why the pages could not be built, and how to build them."""
    body = f"{_code(reason)}{_paragraph('When that is mended, build it and load this page again:')}"
    return _page(request, "The dashboard could not be built", f"{body}{_code('contexten dashboard build')}", 503)


def not_installed(request: Request) -> Response:
    """Says which package the dashboard needs."""
    install = "python3 -m pip install 'contexten[dashboard]'"
    body = (
        f"{_paragraph('The server runs, and its API is described at <a href=/docs>/docs</a>. For the dashboard install:')}"
        f"{_code(install)}{_paragraph('Then start <code>contexten up</code> again.')}"
    )
    return _page(request, "The dashboard is not installed", body, 503)


def failed(request: Request) -> Response:
    """Says that the dashboard did not start, and where the reason is."""
    body = _paragraph("The server's log has the reason. Everything else works: <code>contexten runs list</code>.")
    return _page(request, "The dashboard did not start", body, 500)


def command(before: str, line: str, after: str = "") -> str:
    """A command with what is said of it."""
    return f"{_paragraph(escape(before))}{_code(line)}{_paragraph(f'<small>{escape(after)}</small>') if after else ''}"


def _paragraph(text: str) -> str:
    return f"<p>{text}</p>" if text else ""


def _code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def _page(  # noqa: PLR0913 - the parts of a page
    request: Request, title: str, body: str, status: int, *, script: str = "", refresh: int | None = None
) -> Response:
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    code = f"<script>{script}</script>" if script else ""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)} · Contexten</title>'
        f'<meta name="viewport" content="width=device-width">{again}<style>{_STYLE}</style>'
        f"<main><h1>{escape(title)}</h1>{body}</main>{code}</html>"
    )
    headers = {"Cache-Control": "no-store", **guarding(request, digest_of(script) if script else "")}
    return HTMLResponse(text, status, headers)
