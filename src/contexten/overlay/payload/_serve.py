"""The metrics on a port of the loopback interface, for Prometheus to read."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import metrics

PREFIX = "contexten_overlay_"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer `/metrics` in the Prometheus text format."""
        found = self.path.partition("?")[0] in {"/", "/metrics"}
        body = metrics.render_text(PREFIX).encode() if found else b"the metrics are at /metrics\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Say nothing: the terminal is the program's."""


def serve(port: int) -> ThreadingHTTPServer:
    """Serve the metrics on 127.0.0.1 in a background thread that ends with the program.

    Raises:
        OSError: the port is taken.
    """
    server = ThreadingHTTPServer(("127.0.0.1", port), _Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="contexten-metrics", daemon=True).start()
    return server
