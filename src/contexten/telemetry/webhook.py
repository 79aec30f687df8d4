"""A target of alerts on the web: each change is posted as JSON, for a limited time and to that address only."""

from __future__ import annotations

import json
import math
import threading
import urllib.error
import urllib.request
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contexten.errors import UsageError

if TYPE_CHECKING:
    from contexten.telemetry.alerts import Alert, Target


def webhook(url: str, *, timeout: float = 5.0) -> Target:
    """A target that posts each change as JSON. It follows no redirect; a figure that is not finite is null.

    Args:
        url: `http` or `https` address; nothing else is accepted. It is never shown: such addresses are secrets.
        timeout: seconds that a post may take in all; one that takes longer is given up, and until its connection has
            ended there is no other.

    Raises:
        UsageError: the address or the time cannot be used.
    """
    if not _usable(url):
        raise UsageError("a webhook needs an http or https address without user name (the one given is not shown here)")
    if not timeout > 0:
        raise UsageError(f"timeout must be a number of seconds above 0, got {timeout!r}")
    return _Webhook(url, timeout)


class _Webhook:
    def __init__(self, url: str, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        self._opener = urllib.request.build_opener(_Unmoved)
        self._post: _Post | None = None

    def __call__(self, alert: Alert) -> None:
        if self._post is not None and self._post.is_alive():
            raise TimeoutError("the post before this one is still under way")
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, data=_body(alert), headers=headers)  # noqa: S310 - checked before
        self._post = _Post(self._opener, request, self._timeout)
        self._post.start()
        self._post.join(self._timeout)
        if self._post.is_alive():
            raise TimeoutError(f"the webhook has not answered within {self._timeout:g} s")
        if self._post.error is not None:
            raise self._post.error


class _Post(threading.Thread):
    """In a thread of its own: the standard library's limit is for each read, and a server may drip."""

    def __init__(self, opener: urllib.request.OpenerDirector, request: urllib.request.Request, timeout: float) -> None:
        super().__init__(name="contexten-webhook", daemon=True)
        self._opener, self._request, self._limit = opener, request, timeout
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self._opener.open(self._request, timeout=self._limit).close()
        except urllib.error.HTTPError as error:
            error.close()
            self.error = error
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.error = error


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what may be told to one address may not be told to another."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False


def _body(alert: Alert) -> bytes:
    figures = {name: _finite(value) for name, value in asdict(alert).items()}
    return json.dumps(figures, allow_nan=False).encode()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
