"""What a program writes, kept up to a limit: its beginning and its end."""

from __future__ import annotations

import asyncio
import codecs
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 65536


class Output:
    """Takes what a program writes.

    Args:
        limit: characters that are kept.
        told: given each piece as it comes, the part that is not kept included.
    """

    def __init__(self, limit: int, told: Callable[[str], None] | None = None) -> None:
        self._first_length, self._last_length = limit - limit // 2, limit // 2
        self._told = told
        self._first = self._last = ""
        self._lost = 0

    async def take(self, pipe: int) -> None:
        """Read a pipe to its end, and close it."""
        stream = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        file = os.fdopen(pipe, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), file)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            while data := await stream.read(_CHUNK):
                self.add(decoder.decode(data))
            self.add(decoder.decode(b"", final=True))
        finally:
            transport.close()

    def add(self, text: str) -> None:
        """Take a piece."""
        if not text:
            return
        if self._told is not None:
            self._told(text)
        room = self._first_length - len(self._first)
        self._first += text[:room]
        self._last += text[room:]
        excess = len(self._last) - self._last_length
        if excess > 0:
            self._last = self._last[excess:]
            self._lost += excess

    def text(self) -> str:
        """What is kept, with a note where something was left out."""
        gap = f"\n… {self._lost} characters left out …\n" if self._lost else ""
        return self._first + gap + self._last
