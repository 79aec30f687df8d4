"""Ask a language server over standard input and output where a symbol is used."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path


class LanguageServer:
    """A running language server for one folder; a context manager that stops it.

    Args:
        command: the program and its arguments.
        root: the folder.
    """

    def __init__(self, command: list[str], root: Path) -> None:
        self.root = root
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
        )
        self._number = 0
        self._open: dict[str, str] = {}
        self._version = 1
        folder = {"uri": root.as_uri(), "name": root.name}
        capabilities = {"general": {"positionEncodings": ["utf-16"]}, "workspace": {"workspaceFolders": True}}
        self.ask(
            "initialize",
            {"processId": None, "rootUri": root.as_uri(), "workspaceFolders": [folder], "capabilities": capabilities},
        )
        self._send({"method": "initialized", "params": {}})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def references(self, path: str, line: int, column: int) -> set[tuple[str, int, int]]:
        """Places (path, line from 1, column from 0) that name what is defined at a place, the definition included."""
        return self._places("references", path, line, column, context={"includeDeclaration": True})

    def meaning(self, path: str, line: int, column: int) -> set[tuple[str, int]]:
        """Where (path, line) the thing is defined that stands at a place; empty when the server cannot tell."""
        return {place[:2] for place in self._places("definition", path, line, column)}

    def meaning_at_end(self, path: str, name: str) -> set[tuple[str, int]]:
        """Where the thing is defined that a module holds under a name when it has run to its end."""
        text = self._show(path)
        self._change(path, f"{text}\n{name}\n")
        try:
            return self.meaning(path, text.count("\n") + 2, 0)
        finally:
            self._change(path, text)

    def _places(self, what: str, path: str, line: int, column: int, **more: object) -> set[tuple[str, int, int]]:
        self._show(path)
        place = {"textDocument": self._document(path), "position": {"line": line - 1, "character": column}}
        found = self.ask(f"textDocument/{what}", place | more)
        places = ((self._path(each["uri"]), each["range"]["start"]) for each in found or [])
        return {(where, start["line"] + 1, start["character"]) for where, start in places if where}

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Send a request and wait for its answer; the server's own requests are answered with nothing."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" in message and "id" in message:
                wanted = (
                    message.get("params", {}).get("items", []) if message["method"].endswith("configuration") else None
                )
                answer = [None] * len(wanted) if wanted is not None else None
                self._send({"id": message["id"], "result": answer})
            elif message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                return message["result"]

    def _show(self, path: str) -> str:
        """Open a file in the server when it is not yet; gives back its text."""
        if path not in self._open:
            self._open[path] = text = (self.root / path).read_text("utf-8", "replace")
            document = self._document(path) | {"languageId": "python", "version": 1, "text": text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return self._open[path]

    def _change(self, path: str, text: str) -> None:
        self._version += 1
        document = self._document(path) | {"version": self._version}
        change = {"textDocument": document, "contentChanges": [{"text": text}]}
        self._send({"method": "textDocument/didChange", "params": change})

    def _document(self, path: str) -> dict[str, Any]:
        return {"uri": (self.root / path).as_uri()}

    def _path(self, uri: str) -> str | None:
        path = unquote(urlsplit(uri).path)
        prefix = f"{self.root}/"
        return path[len(prefix) :] if path.startswith(prefix) else None

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        pipe = self._process.stdout
        assert pipe is not None
        length = 0
        while (line := pipe.readline().strip()) or not length:
            if not line and pipe.closed:
                raise RuntimeError("the language server ended")
            name, _colon, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(pipe.read(length))
        return message
