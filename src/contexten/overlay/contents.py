"""The files of `codegen/contexten/`: our telemetry files as they are, and the payload's own."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from contexten._version import __version__
from contexten.overlay.files import sha256

MANIFEST = "manifest.json"
SCHEMA = 1

_WORDS = ("contexten", "codegen", "payload", "original", "enhanced", "record_entry")
_PAYLOAD = Path(__file__).with_name("payload")
_TELEMETRY = Path(__file__).parents[1] / "telemetry"
_SHARED = {"events.py": "events.py", "metrics.py": "metrics.py", "monitoring.py": "health.py"}


def sources() -> dict[str, Path]:
    """Where the text of each payload file is, by the name that it is installed under."""
    own = {path.name: path for path in sorted(_PAYLOAD.glob("*.py"))}
    return own | {name: _TELEMETRY / source for name, source in _SHARED.items()}


@cache
def payload() -> dict[str, bytes]:
    """The payload files by name."""
    return {name: path.read_bytes() for name, path in sources().items()}


def fingerprint(files: dict[str, bytes] | None = None) -> str:
    """One hash over names and contents of the payload."""
    chosen = payload() if files is None else files
    return sha256("".join(f"{name} {sha256(data)}\n" for name, data in sorted(chosen.items())).encode())


def manifest(version: str, original: bytes, enhanced: bytes, record_entry: bytes) -> bytes:
    """What the overlay writes down about itself; the same input gives the same bytes.

    Args:
        version: version of `codegen`.
        original: its `agents/agent.py` before.
        enhanced: its `agents/agent.py` after.
        record_entry: the entry of that file in RECORD before.
    """
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "contexten": __version__,
        "codegen": version,
        "payload": fingerprint(),
        "files": {name: sha256(data) for name, data in sorted(payload().items())},
        "original": sha256(original),
        "enhanced": sha256(enhanced),
        "record_entry": record_entry.decode(),
    }
    return (json.dumps(facts, indent=2) + "\n").encode()


def read_manifest(data: bytes | None) -> dict[str, Any] | None:
    """The facts of a manifest; None when there is none, or it is not one that `manifest` wrote."""
    try:
        facts = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and _is_whole(facts) else None


def _is_whole(facts: dict[str, Any]) -> bool:
    words, files = [facts.get(name) for name in _WORDS], facts.get("files")
    return facts.get("schema") == SCHEMA and isinstance(files, dict) and all(isinstance(word, str) for word in words)
