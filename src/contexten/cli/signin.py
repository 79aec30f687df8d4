"""The file from which the official `codegen` program takes its token: `~/.codegen/auth.json`, `{"token": …}`."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path


def auth_path() -> Path:
    """Where the official program looks."""
    return Path.home() / ".codegen" / "auth.json"


def write_auth(path: Path, token: str) -> Path | None:
    """Write the file, readable by the user alone, in one step.

    Returns:
        The file that an earlier, different one was moved to; None when there was none.
    """
    content = json.dumps({"token": token}) + "\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = _keep(path, content)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
    return kept


def _keep(path: Path, content: str) -> Path | None:
    if not path.exists() or path.read_text("utf-8", errors="replace") == content:
        return None
    backup = path.with_name(f"{path.name}.backup")
    number = 1
    while backup.exists():
        number += 1
        backup = path.with_name(f"{path.name}.backup-{number}")
    path.rename(backup)
    backup.chmod(0o600)
    return backup
