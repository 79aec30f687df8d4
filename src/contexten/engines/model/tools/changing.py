"""Tools that change files, all of them through the workspace's gate; a file is whole at every moment."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pydantic import Field

from contexten.engines.model.tools.files import LARGEST_FILE, text_of
from contexten.engines.model.tools.tool import Arguments, Result, ToolError
from contexten.engines.workspace import inside

if TYPE_CHECKING:
    from pathlib import Path

    from contexten.engines.model.tools.tool import Place


class Edit(Arguments):
    """Replace a text in a file by another. The old text must be in the file exactly once, with its indentation."""

    path: str = Field(description="Path of the file, relative to the repository.")
    old: str = Field(min_length=1, description="What is there now, without line numbers; enough of it to be unique.")
    new: str = Field(description="What takes its place.")


class Write(Arguments):
    """Write a whole file: a new one, or over one that is there. To change a part of one, use edit."""

    path: str = Field(description="Path of the file, relative to the repository; folders are made as needed.")
    text: str = Field(description="Everything that the file holds afterwards.")


class Delete(Arguments):
    """Delete a file."""

    path: str = Field(description="Path of the file, relative to the repository.")


def edit(place: Place, wanted: Edit) -> Result:
    """Replace a text that is in a file once."""
    before = text_of(place.root, wanted.path)
    old, new = wanted.old, wanted.new
    if "\r\n" in before and old not in before:
        old, new = (text.replace("\r\n", "\n").replace("\n", "\r\n") for text in (old, new))
    count = before.count(old)
    if count == 0:
        raise ToolError(f"The old text is not in {wanted.path}. Read the file: it must be the same to the last blank.")
    if count > 1:
        raise ToolError(f"The old text is in {wanted.path} {count} times. Give more of the lines around it.")
    if old == new:
        raise ToolError("The new text is the same as the old one, so nothing was changed.")
    _replace(place.root, wanted.path, before.replace(old, new, 1))
    line = before[: before.index(old)].count("\n") + 1
    plus, minus = new.count("\n") + 1, old.count("\n") + 1
    said = f"{wanted.path}:{line} {minus} → {plus} lines"
    return Result(f"Done: {said}.", said)


def write(place: Place, wanted: Write) -> Result:
    """Write a whole file."""
    path = inside(place.root, wanted.path)
    if path.is_dir():
        raise ToolError(f"{wanted.path} is a folder.")
    new = "" if path.exists() else " · new"
    _replace(place.root, wanted.path, wanted.text)
    said = f"{wanted.path} · {len(wanted.text.splitlines())} lines{new}"
    return Result(f"Written: {said}.", said)


def delete(place: Place, wanted: Delete) -> Result:
    """Delete a file."""
    path = inside(place.root, wanted.path)
    if not path.is_file():
        raise ToolError(f"There is no file {wanted.path!r}.")
    path.unlink()
    return Result(f"Deleted: {wanted.path}.", wanted.path)


def _replace(root: Path, relative: str, text: str) -> None:
    data = text.encode("utf-8", "replace")
    if len(data) > LARGEST_FILE:
        raise ToolError(f"{relative} would be larger than {LARGEST_FILE // 2**20} MB, which is too large.")
    path = inside(root, relative)
    if path == root.resolve():
        raise ToolError(f"{relative!r} is no path of a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".contexten-{secrets.token_hex(6)}")
    try:
        beside.write_bytes(data)
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
