"""The built pages: where they are, and whether they are those of the sources beside them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

SOURCES = Path(__file__).parent.parent
"""The folder of the pages' sources."""
_NOT_PAGES = ("hosting", "web", "__pycache__", ".web")
_NOTE = "bundle.json"

State = Literal["ready", "stale", "missing"]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder with built pages, beside their sources."""

    folder: Path = SOURCES / "web"

    @property
    def client(self) -> Path:
        """The files that browsers load."""
        return self.folder / "client"

    @property
    def state(self) -> State:
        """Whether it is there, and made of the sources as they are now."""
        try:
            note = json.loads((self.folder / _NOTE).read_text("utf-8"))
            same = note["sources"] == fingerprint(self.folder.parent) and _reflex_version() in {None, note["reflex"]}
        except (OSError, ValueError, KeyError, TypeError):
            return "missing"
        return "ready" if same else "stale"

    def sign(self, sources: str) -> None:
        """Note which sources it was made of, and by which version of Reflex."""
        note = {"sources": sources, "reflex": _reflex_version()}
        (self.folder / _NOTE).write_text(json.dumps(note) + "\n", "utf-8")


def fingerprint(sources: Path) -> str:
    """A digest of the files that the pages are made of."""
    digest = hashlib.sha256()
    for path in sorted(_files(sources)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(sources).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(sources: Path) -> list[Path]:
    return [path for path in sources.rglob("*") if path.is_file() and not _is_left_out(path.relative_to(sources))]


def _is_left_out(path: Path) -> bool:
    return path.name == "session.py" or any(part in _NOT_PAGES or part.startswith(".") for part in path.parts)


def _reflex_version() -> str | None:
    try:
        return version("reflex")
    except PackageNotFoundError:
        return None
