"""A server that speaks HTTP/2 over TLS, with a certificate that nobody knows; for one client at a time."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset

_REQUEST = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
)


def certificate(folder):
    """A key and a certificate for localhost; their paths."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [*_REQUEST.split(), "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    return key, cert


class TlsServer:
    """Answers every request with `answer`, one for events with `stream` again and again; keeps the headers."""

    def __init__(self, key, cert, answer, protocols=("h2", "http/1.1"), stream=None):
        self._stream, self._streaming = stream, None
        self.answer, self.requests, self.protocols = json.dumps(answer).encode(), [], []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(cert, key)
        self._context.set_alpn_protocols(list(protocols))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._open = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join(150)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.settimeout(120)
                self._open.append(connection)
                self._open.append(secure := self._context.wrap_socket(connection, server_side=True))
                self.protocols.append(secure.selected_alpn_protocol())
                self._speak(secure)
            except ssl.SSLError:
                continue
            except OSError:
                return

    def _speak(self, secure):
        http = H2Connection(H2Configuration(client_side=False))
        http.initiate_connection()
        secure.sendall(http.data_to_send())
        while data := self._received(secure, http):
            for event in http.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.requests.append({name.decode(): value.decode() for name, value in event.headers})
                elif isinstance(event, DataReceived):
                    http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self._answer(http, event.stream_id)
                elif isinstance(event, StreamReset):
                    self._streaming = None
            secure.sendall(http.data_to_send())

    def _answer(self, http, stream_id):
        if self._stream and "/events" in self.requests[-1][":path"]:
            http.send_headers(stream_id, [(":status", "200"), ("content-type", "text/event-stream")])
            self._streaming = stream_id
            return
        length = ("content-length", str(len(self.answer)))
        http.send_headers(stream_id, [(":status", "200"), ("content-type", "application/json"), length])
        http.send_data(stream_id, self.answer, end_stream=True)

    def _received(self, secure, http):
        """What the client sends; while it sends nothing, an open event stream shows signs of life."""
        while self._streaming is not None:
            secure.settimeout(0.1)
            try:
                return secure.recv(65536)
            except TimeoutError:
                http.send_data(self._streaming, self._stream)
                secure.sendall(http.data_to_send())
        secure.settimeout(20)
        return secure.recv(65536)
