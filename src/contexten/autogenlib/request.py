"""What is asked for, from where, and what comes back."""

from __future__ import annotations

import keyword
from dataclasses import asdict, dataclass, field
from typing import Any

from contexten.errors import UsageError


@dataclass(frozen=True, slots=True)
class CallerContext:
    """Who asks for code, and how it will be used there."""

    file_path: str = ""
    """File that imports it, absolute or relative to the project."""
    usage_example: str = ""
    """Expressions with the asked names as they are used, one a line."""
    source: str = field(default="", repr=False)
    """The text of that file."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One or more names of one module that are wanted, or a module that does a task.

    Raises:
        UsageError: the module or a name is none of Python's, or nothing is wanted.
    """

    module_path: str
    """Dotted name such as `web.forms`; a path such as `web/forms.py` means the same."""
    function_name: str = ""
    """The first name wanted; may be absent when there is a task."""
    caller_context: CallerContext = field(default_factory=CallerContext)
    more_names: tuple[str, ...] = ()
    """Further names wanted of the same module."""
    existing: str = field(default="", repr=False)
    """Source that the module has already and the new code is added to."""
    task: str = field(default="", repr=False)
    """What the code is to do, in a person's words."""
    facts: str = field(default="", repr=False)
    """What the person says about the codebase."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "module_path", dotted(self.module_path))
        if not self.names and not self.task.strip():
            raise UsageError(f"Nothing of the module {self.module_path} is wanted: say a name or a task.")
        for name in self.names:
            if not is_public(name):
                raise UsageError(
                    f"The name wanted is {name!r}: it must be a name of Python that does not begin with _."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """All names wanted."""
        return tuple(name for name in (self.function_name, *self.more_names) if name)

    @property
    def title(self) -> str:
        """For people: `web.forms:parse`."""
        return ":".join(part for part in (self.module_path, ",".join(self.names)) if part)


@dataclass(frozen=True, slots=True)
class GeneratedCode:
    """Code that has passed the gate."""

    code: str
    """What to add to the module; the whole module when it had nothing."""
    metadata: dict[str, Any]
    """`module`, `names`, `model`, `engine`, `run_id`, `attempts`, `spec`, `cached`."""
    usage_info: dict[str, Any]
    """`input_tokens`, `output_tokens`, `cost_usd`, `seconds` of the generation; zeros when it came from the cache."""

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def dotted(module: str) -> str:
    """A module's name with dots.

    Raises:
        UsageError: it is none of Python's.
    """
    name = module.removesuffix(".py").replace("/", ".") if "/" in module or module.endswith(".py") else module
    if not is_module(name):
        raise UsageError(
            f"The module wanted is {module!r}: it must be names of Python with dots between, such as web.forms."
        )
    return name


def is_module(name: str) -> bool:
    """Whether each part of a dotted name may be generated."""
    return all(is_public(part) for part in name.split("."))


def is_public(name: str) -> bool:
    """Whether a name may be generated: names of Python's own kind, and private ones, never are."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
