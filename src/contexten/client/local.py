"""The local server's credentials file: where it serves, and the token that acts for its organization.

The one place that knows the file's format; the server writes it and clients on the same machine read it.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from contexten.errors import SettingsError

FILE_NAME = "credentials.json"


@dataclass(frozen=True, slots=True)
class LocalCredentials:
    """Where the local server serves and as whom a client may talk to it."""

    base_url: str | None
    """Address without `/v1` of the server that was last started to stay; None before the first."""
    token: str = field(repr=False)
    organization_id: int

    @classmethod
    def read(cls, data_dir: Path) -> LocalCredentials | None:
        """The credentials in a data folder, or None when no server has written any.

        Raises:
            SettingsError: the file is there but cannot be read or understood.
        """
        path = Path(data_dir) / FILE_NAME
        try:
            text = path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"{path} cannot be read: {error}.") from error
        return cls._parse(text, path)

    @classmethod
    def _parse(cls, text: str, path: Path) -> LocalCredentials:
        try:
            data = json.loads(text)
            address = data["base_url"]
            return cls(None if address is None else str(address), str(data["token"]), int(data["organization_id"]))
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{path} is not a credentials file of Contexten. Remove it; `contexten up` writes a new one."
            ) from error

    def write(self, data_dir: Path) -> Path:
        """Put the credentials into a data folder, readable by the user alone, in one step. Returns the file's path."""
        folder = Path(data_dir)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / FILE_NAME
        draft = folder / f".{FILE_NAME}.{secrets.token_hex(8)}"
        try:
            self._write_private(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return path

    def _write_private(self, path: Path) -> None:
        content = {"base_url": self.base_url, "token": self.token, "organization_id": self.organization_id}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
