"""The gate for the places that a repository may come from: folders of this machine, and git addresses.

An address's scheme must be on a list (https, ssh, `user@host:path`, file). Any host may be named, private networks
included: the machine is the user's own. Everything else is refused.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from contexten.engines.workspace import is_closed
from contexten.errors import UsageError

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_SCP_STYLE = re.compile(rf"[A-Za-z0-9_][\w.-]*@{_HOST}:(?![-:])[\w./~+-]+")
_HOST_PART = re.compile(rf"(?:{_HOST}|\[[0-9A-Fa-f:.]+\])(?::\d{{1,5}})?")
_USER = re.compile(r"[A-Za-z0-9_][\w.-]*")
_PATH = re.compile(r"/(?!-)[\w./~+%@,:-]+")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_ACCEPTED = "Give the absolute path of a folder, or a git address: https://host/path, ssh://host/path or git@host:path."


def is_local(text: str) -> bool:
    """Whether a location is on this machine's own disks: a folder, or an address of the scheme `file`."""
    text = text.strip()
    return Path(text).is_absolute() or text.partition(":")[0].lower() == "file"


def validate_location(text: str) -> Path | str:
    """The folder (as a resolved `Path`) or the git address (as a `str`) that `text` names.

    Raises:
        UsageError: it is neither, or not one that is accepted. The message never repeats an address with credentials.
    """
    text = text.strip()
    if not text:
        raise UsageError(f"The location is empty. {_ACCEPTED}")
    if Path(text).is_absolute():
        return _folder(text)
    if _FORBIDDEN.search(text) or text.startswith("-") or "::" in text.partition("/")[0]:
        raise UsageError(f"This location cannot be used: it has a character or form that no address has. {_ACCEPTED}")
    if "://" not in text:
        return _scp_style(text)
    return _address(text)


def name_of(url: str) -> str:
    """The repository's name in an address: its last part without `.git`, in characters that suit a folder."""
    last = re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]", "-", last).strip(".-") or "repository"


def _folder(text: str) -> Path:
    if "\x00" in text or "\n" in text or "\r" in text:
        raise UsageError(f"This location cannot be used: it has a character that no path has. {_ACCEPTED}")
    try:
        path = Path(text).resolve(strict=True)
    except (OSError, RuntimeError):
        raise UsageError(f"There is no folder {text}. {_ACCEPTED}") from None
    if not path.is_dir():
        raise UsageError(f"{text} is not a folder. {_ACCEPTED}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"The folder {text} may not be read by this server's user.")
    return _open(path)


def _open(path: Path) -> Path:
    if is_closed(path):
        raise UsageError(f"{path} belongs to the server itself, so no run reads it. Name a project's folder.")
    return path


def _scp_style(text: str) -> str:
    if not _SCP_STYLE.fullmatch(text):
        raise UsageError(f"This location is neither an absolute path nor a git address. {_ACCEPTED}")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        user, password = parts.username, parts.password
    except ValueError:
        raise UsageError(f"This address cannot be read. {_ACCEPTED}") from None
    scheme = text.partition("://")[0]
    if scheme not in {"https", "ssh", "file"}:
        raise UsageError(f"Addresses that begin with {scheme[:20]}:// are not accepted. {_ACCEPTED}")
    if password is not None or (user is not None and scheme != "ssh"):
        raise UsageError(
            "The address holds a user name or a password. Leave them out: "
            "git takes them from its credential helper, or use ssh."
        )
    host = parts.netloc.rpartition("@")[2]
    if scheme == "file":
        ok = not parts.netloc
    else:
        ok = bool(_HOST_PART.fullmatch(host)) and (user is None or bool(_USER.fullmatch(user)))
    if not ok or not _PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise UsageError(f"This address has parts that a repository's address does not have. {_ACCEPTED}")
    if scheme == "file":
        for path in (parts.path, unquote(parts.path)):
            _open(Path(path))
    return text
