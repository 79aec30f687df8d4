"""The gate for writing `.env`: the three settings of the client, in one file, readable by its owner alone."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from contexten.errors import SettingsError
from contexten.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN, ORGANIZATION, ADDRESS = "CODEGEN_API_TOKEN", "CODEGEN_ORG_ID", "CODEGEN_BASE_URL"
_TOKEN = re.compile(r"[\x21-\x7e]{8,512}")
_HOST = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_LARGEST_ORGANIZATION = 2**63 - 1
_SPELLINGS = {
    TOKEN: (TOKEN, "CODEGEN_TOKEN"),
    ORGANIZATION: (ORGANIZATION,),
    ADDRESS: (ADDRESS, "CODEGEN_API_BASE_URL"),
}


def objection(name: str, value: str) -> str:
    """Why a value cannot be a setting's, and what can; empty when it can. An empty value takes the setting away."""
    if not value:
        return ""
    return {TOKEN: _token, ORGANIZATION: _organization, ADDRESS: _address}[name](value)


def write_settings(folder: Path, values: Mapping[str, str]) -> Path:
    """Write settings to `.env` in a folder; other lines of the file stay as they are. An empty value takes a setting away.

    Raises:
        SettingsError: a value cannot be used, or the file cannot be written; nothing was changed.
    """
    for name, value in values.items():
        if why := objection(name, value):
            raise SettingsError(why)
    path = folder / ".env"
    try:
        if path.is_symlink():
            raise SettingsError(f"{path} is a link. Write the settings into the file that it leads to.")
        kept = path.read_text("utf-8").split("\n") if path.exists() else []
        _replace(path, _merged(kept, values))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be written: {error}.") from error
    return path


def _merged(kept: list[str], values: Mapping[str, str]) -> str:
    left = dict(values)
    lines = []
    for line in kept:
        setting = next((name for name in values if _sets(line, _SPELLINGS[name])), None)
        if setting is None:
            lines.append(line)
        elif value := left.pop(setting, ""):
            lines.append(f"{setting}={_quoted(value)}")
    while lines and not lines[-1].strip():
        lines.pop()
    lines += [f"{name}={_quoted(value)}" for name, value in left.items() if value]
    return "\n".join([*lines, ""])


def _sets(line: str, names: tuple[str, ...]) -> bool:
    name = line.strip().removeprefix("export ").partition("=")[0].strip()
    return "=" in line and name.upper() in names


def _quoted(value: str) -> str:
    """In single quotes, in which nothing is expanded."""
    plain = re.fullmatch(r"[A-Za-z0-9_.:/@%+,\[\]~-]+", value)
    return value if plain else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".env-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _token(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return ""
    return "A token is 8 to 512 letters, digits and signs without spaces. Paste it as it was shown to you."


def _organization(value: str) -> str:
    if value.isascii() and value.isdigit() and 0 < int(value) <= _LARGEST_ORGANIZATION:
        return ""
    return "An organization is a number such as 1. Leave it empty for the one that the token belongs to."


def _address(value: str) -> str:
    found = _HOST.fullmatch(value)
    if found is None:
        return "An address begins with http:// or https://, such as http://127.0.0.1:8000."
    if value.startswith("http://") and not is_loopback(found[1]):
        return f"The token would travel to {found[1]} unprotected. Use https://."
    return ""
