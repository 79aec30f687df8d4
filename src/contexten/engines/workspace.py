"""The one gate for places that code is read from: which locations are accepted, how they are fetched, what stays inside.

Accepted are folders of this machine and git addresses whose scheme is on a list (https, ssh, `user@host:path`, file).
Any host may be named, private networks included: the machine is the user's own. Everything else is refused.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from contexten.engines import git
from contexten.engines.facts import RepoFacts, describe
from contexten.errors import EngineError, UsageError

__all__ = ["RepoFacts", "clone", "describe", "inside", "name_of", "read_text", "validate_location"]

CLONE_SECONDS = 900.0
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_SCP_STYLE = re.compile(rf"[A-Za-z0-9_][\w.-]*@{_HOST}:(?![-:])[\w./~+-]+")
_HOST_PART = re.compile(rf"(?:{_HOST}|\[[0-9A-Fa-f:.]+\])(?::\d{{1,5}})?")
_USER = re.compile(r"[A-Za-z0-9_][\w.-]*")
_PATH = re.compile(r"/(?!-)[\w./~+%@,:-]+")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_ACCEPTED = "Give the absolute path of a folder, or a git address: https://host/path, ssh://host/path or git@host:path."


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


async def clone(url: str, into: Path, *, seconds: float = CLONE_SECONDS) -> Path:
    """Clone a git address into a new folder inside `into`, named after the repository, and return that folder.

    Nothing is left behind when it fails or is cancelled. Hooks, templates and submodules are off; git asks for nothing.

    Raises:
        UsageError: the address is not one that `validate_location` accepts.
        EngineError: git is missing, the address cannot be cloned, or it took longer than `seconds`.
    """
    address = validate_location(url)
    if isinstance(address, Path):
        raise UsageError("This is a folder of this machine: it is used where it is, not cloned.")
    await asyncio.to_thread(into.mkdir, mode=0o700, parents=True, exist_ok=True)
    partial = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".partial-", dir=into))
    try:
        await git.transfer(
            *("clone", "--quiet", "--no-recurse-submodules", "--template=", "--origin=origin"),
            *("--", address, str(partial)),
            protocols="file" if address.startswith("file:") else "https:ssh",
            seconds=seconds,
        )
        return await asyncio.to_thread(_settle, partial, into, name_of(address))
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True))


def name_of(url: str) -> str:
    """The repository's name in an address: its last part without `.git`, in characters that suit a folder."""
    last = re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]", "-", last).strip(".-") or "repository"


def inside(workspace: Path, relative: str | Path) -> Path:
    """The real path of `relative` in the workspace.

    Raises:
        EngineError: it leads out of the workspace, by `..`, an absolute path or a symbolic link.
    """
    root = workspace.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        raise EngineError(f"{str(relative)!r} leads out of the repository, so it is not read.")
    return path


def read_text(workspace: Path, relative: str | Path, *, limit: int = 256 * 1024) -> str | None:
    """The beginning of a text file of the workspace, at most `limit` bytes of it.

    None when there is no such file in it; one that a symbolic link brings in from outside is not in it.
    """
    try:
        path = inside(workspace, relative)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(limit).decode(errors="replace")
    except (OSError, ValueError, EngineError):
        return None


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
    return text


def _settle(partial: Path, into: Path, name: str) -> Path:
    """Give the finished clone its name; a number is added when the name is taken."""
    for number in range(1, 1000):
        target = into / (name if number == 1 else f"{name}-{number}")
        if not target.exists():
            try:
                partial.rename(target)
            except OSError:
                continue
            return target
    raise EngineError(f"There are too many folders named {name} in {into}.")
