"""Who is asking a module for a name, and whether to have it or only to know: `hasattr` and tools look, statements want."""

from __future__ import annotations

import dis
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_IMPORT = "_handle_fromlist"
_MACHINERY = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", __file__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement that wants names of a module."""

    names: tuple[str, ...]
    """All that it wants of the module at once."""
    file: str
    by_import: bool
    """Whether it is a `from … import`; else it takes an attribute."""


def asked_by(name: str, depth: int) -> Asked | None:
    """The statement that wants a name of a module; None when somebody only looks whether it is there.

    Args:
        name: the name.
        depth: frames between this function and the one that takes the attribute.
    """
    frame: FrameType | None = sys._getframe(depth)  # noqa: SLF001 - there is no public way to know a caller's statement
    if frame is not None and frame.f_code.co_name == _IMPORT and frame.f_code.co_filename in _MACHINERY:
        wanted = tuple(each for each in frame.f_locals["fromlist"] if isinstance(each, str) and each != "*")
        return Asked(wanted, _file_of(frame.f_back), by_import=True) if name in wanted else None
    if frame is not None and _takes(frame, name):
        return Asked((name,), frame.f_code.co_filename, by_import=False)
    return None


def importer() -> str:
    """The file whose import is under way; empty when it is nobody's."""
    return _file_of(sys._getframe(1))  # noqa: SLF001 - see above


def _file_of(frame: FrameType | None) -> str:
    while frame is not None and (
        frame.f_code.co_filename in _MACHINERY
        or frame.f_globals.get("__name__", "").startswith(("contexten.autogenlib", "contexten.autogen."))
        or frame.f_globals.get("__name__") == "importlib"
    ):
        frame = frame.f_back
    return frame.f_code.co_filename if frame is not None else ""


def _takes(frame: FrameType, name: str) -> bool:
    """Whether what the frame does at this moment is to take an attribute by a name that stands in its source."""
    if frame.f_lasti < 0:
        return False
    for step in dis.get_instructions(frame.f_code):
        if step.offset == frame.f_lasti:
            return step.opname in {"LOAD_ATTR", "LOAD_METHOD"} and step.argval == name
    return False
