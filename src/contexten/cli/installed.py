"""How this installation gets more parts: by the way in which it was made."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence


def installation(extras: Sequence[str]) -> str:
    """The command that adds optional parts of the package to the environment of this program."""
    folder, editable = _source()
    names = ",".join(extras)
    if folder is None:
        return join([sys.executable, "-m", "pip", "install", f"contexten[{names}]"])
    if not editable:
        return join([sys.executable, "-m", "pip", "install", f"{folder}[{names}]"])
    chosen = [word for extra in extras for word in ("--extra", extra)]
    return join([_uv(folder), "sync", "--project", str(folder), "--frozen", "--inexact", "--no-dev", *chosen])


def _source() -> tuple[Path | None, bool]:
    """The folder that the package was installed from, and whether it is used in place (PEP 610)."""
    try:
        told = json.loads(distribution("contexten").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return None, False
    address = urlsplit(told.get("url", ""))
    if address.scheme != "file":
        return None, False
    return Path(unquote(address.path)), bool(told.get("dir_info", {}).get("editable"))


def _uv(folder: Path) -> str:
    """The program that `make up` uses: of the machine, or else the clone's own."""
    own = folder / ".tools" / "uv" / "bin" / "uv"
    return "uv" if shutil.which("uv") or not own.exists() else str(own)
