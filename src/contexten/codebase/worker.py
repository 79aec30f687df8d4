"""A process that reads files for another: paths come in as lines of JSON, records go out with their length in front."""

from __future__ import annotations

import gc
import json
import struct
import sys

from contexten.codebase.read import Reading, read_file

HEAD = struct.Struct("<I16sBI")
"""Number of the path in its batch, digest, state, length of what follows."""
STEADY, UNSTEADY, FAILED = range(3)
READY = b"R"
"""What a process says when it has started."""


def main(root: str) -> None:
    """Answer batches until standard input ends."""
    gc.disable()  # syntax trees hold no cycles; looking for them costs a third of the time
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    for line in sys.stdin.buffer:
        for number, path in enumerate(json.loads(line)):
            out.write(packed(number, read_file(root, path)))
            out.flush()


def packed(number: int, reading: Reading) -> bytes:
    """A reading as it goes through the pipe."""
    state = FAILED if reading.error else STEADY if reading.steady else UNSTEADY
    body = reading.error.encode() if reading.error else reading.data
    return HEAD.pack(number, reading.digest, state, len(body)) + body


def unpacked(digest: bytes, state: int, body: bytes) -> Reading:
    """The reading that came through the pipe."""
    if state == FAILED:
        return Reading(error=body.decode())
    return Reading(digest, body, state == STEADY)
