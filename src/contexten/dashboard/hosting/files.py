"""The built files: which address has which, and the headers that they are sent with."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
import re
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, HTMLResponse, Response

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from contexten.dashboard.hosting.bundle import Bundle

_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HASHED = "/assets/"
"""Where the files are whose names change with their content."""
_FOR_EVER = "private, max-age=31536000, immutable"
_ASK = "no-cache"
_PARAMETER = re.compile(r"\[.*\]")


class Files:
    """The files of a bundle as they were when it was opened. No address leads out of its folder: only these are known."""

    def __init__(self, bundle: Bundle) -> None:
        folder = bundle.client
        found = [path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder))]
        self._files = {f"/{path.relative_to(folder).as_posix()}": path for path in found}
        self._pages = {path: _Page(file) for path, file in self._files.items() if path.endswith(".html")}
        self._routes = [_route(name) for name in json.loads((bundle.folder / "routes.json").read_text("utf-8"))]

    def answer(self, request: Request) -> Response | None:
        """The file or the page at an address; None when there is neither."""
        return self.asset(request) or self.page(request)

    def asset(self, request: Request) -> Response | None:
        """The file at an address that is no page; None when there is none."""
        path = request.url.path
        return self._file(path, request) if path in self._files and path not in self._pages else None

    def page(self, request: Request) -> Response | None:
        """The page at an address; None when no page has it."""
        path = request.url.path.rstrip("/")
        known = any(route.fullmatch(path or "/") for route in self._routes)
        return self._shell(path).answer(request, 200) if known else None

    def missing(self, request: Request) -> Response:
        """The page that says that there is none at an address."""
        return self._shell("/404").answer(request, 404)

    def _shell(self, path: str) -> _Page:
        for name in (f"{path}/index.html", f"{path}.html", "/__spa-fallback.html", "/404.html"):
            if name in self._pages:
                return self._pages[name]
        return self._pages["/index.html"]

    def _file(self, path: str, request: Request) -> Response:
        file = self._files[path]
        headers = {
            "Cache-Control": _FOR_EVER if path.startswith(_HASHED) else _ASK,
            "X-Content-Type-Options": "nosniff",
        }
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        packed = self._files.get(f"{path}.gz")
        if packed is not None:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("accept-encoding", ""):
                return FileResponse(packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=kind)
        return FileResponse(file, headers=headers, media_type=kind)


class _Page:
    """One HTML file, with the digests of the scripts that stand in it."""

    def __init__(self, file: Path) -> None:
        self._text = file.read_text("utf-8")
        self._scripts = " ".join(sorted({digest_of(script) for script in _SCRIPT.findall(self._text)}))

    def answer(self, request: Request, status: int) -> Response:
        headers = {"Cache-Control": _ASK, **guarding(request, self._scripts)}
        return HTMLResponse(self._text, status, headers)


def guarding(request: Request, scripts: str = "") -> dict[str, str]:
    """Headers with which a browser loads nothing from elsewhere, runs no script put into a page, and shows it in no frame.

    Args:
        request: names the host to which pages keep a connection.
        scripts: digests of scripts that stand in the page itself.
    """
    host = request.url.netloc
    policy = (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"font-src 'self' data:; connect-src 'self' ws://{host} wss://{host}; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def digest_of(script: str) -> str:
    """What a policy calls a script that stands in a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _route(name: str) -> re.Pattern[str]:
    """The addresses of a page: `runs/[run_id]` has a part that may be anything."""
    if name == "index":
        return re.compile(r"/")
    parts = ("[^/]+" if _PARAMETER.fullmatch(part) else re.escape(part) for part in name.split("/"))
    return re.compile("/" + "/".join(parts))
